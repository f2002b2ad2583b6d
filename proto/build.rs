//! Generates the contracts with protox, so that no `protoc` has to be installed.

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=throng");
    let files = protox::compile(
        [
            "throng/v1/callback.proto",
            "throng/v1/directory.proto",
            "throng/v1/group_router.proto",
            "throng/v1/history.proto",
            "throng/v1/placement.proto",
            "throng/v1/presence.proto",
        ],
        ["."],
    )?;
    tonic_prost_build::configure().bytes(".").compile_fds(files)?;
    Ok(())
}
