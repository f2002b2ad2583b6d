"""The processes of Throng in the local cluster: where each listens, how each is started and asked."""

import json
import os
import pathlib
import secrets
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from .daemon import HOST, Daemon, exchange
from .install import LOCAL, Failed, run

REPOSITORY = LOCAL.parent.parent
APP = 1400000001
ADMIN = "administrator"
USER = "alice"
ROOM = "demo"
# Signatures to paste are for trying things out.
SIGNATURE_SECONDS = 30 * 24 * 3600
START_SECONDS = 60
# A process that drains hands over what it has, for up to 20 s.
STOP_SECONDS = 30
# Each process has the ten ports from its own: clients or other services, then health and metrics.
GATEWAY_PORTS = (7080, 7090)
# Of the gateways beyond those: behind everything else.
MORE_GATEWAYS_PORT = 7190
USUAL_GATEWAYS = len(GATEWAY_PORTS)
MOST_GATEWAYS = 50
PORTS = {
    "group-router-0": 7100, "group-router-1": 7110, "group-router-2": 7120,
    "history-0": 7130, "presence-0": 7140, "callback-0": 7150, "directory-0": 7160,
}
NATS_PORT = 7170
CASSANDRA_PORT = 7180


def gateway_port(number):
    """The port for clients of a gateway."""
    if number < len(GATEWAY_PORTS):
        return GATEWAY_PORTS[number]
    return MORE_GATEWAYS_PORT + 10 * (number - len(GATEWAY_PORTS))


def ports(gateways):
    """The port of each process of a cluster with so many gateways, by its name."""
    return {f"gateway-{number}": gateway_port(number) for number in range(gateways)} | PORTS


def gateways_of(data):
    """How many gateways the cluster in a folder was last started with."""
    try:
        return int((data / "gateways").read_text())
    except (FileNotFoundError, ValueError):
        return USUAL_GATEWAYS


def settings():
    """The environment of a process of Throng, to which THRONG_… variables are settings: without
    those that are meant for scripts."""
    ours = ("THRONG_BIN", "THRONG_JAVA_HOME")
    return {name: value for name, value in os.environ.items() if name not in ours}


class Service(Daemon):
    """One process of Throng."""

    def __init__(self, name, port, data):
        super().__init__(name, data / name)
        self.role = name.rpartition("-")[0]
        self.port = port
        self.config = data / "throng.toml"

    def launch(self, binary):
        """Starts it and returns once it serves; it may need others for that."""
        self.folder.mkdir(parents=True, exist_ok=True)
        own = "--listen" if self.role == "gateway" else "--rpc-listen"
        with self.control():
            if self.is_running():
                return
            self.start(
                [binary, self.role, "--config", self.config, "--node", self.name,
                 own, f"{HOST}:{self.port}", "--admin-listen", f"{HOST}:{self.port + 1}",
                 "--data-dir", self.folder / "data"],
                self.port, self.serves, START_SECONDS, settings())

    def serves(self):
        """Whether it says that it wants traffic."""
        request = f"GET /readyz HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
        return exchange(self.port + 1, request.encode(), 12) == b"HTTP/1.1 200"

    def end(self):
        with self.control():
            self.stop(STOP_SECONDS)

    def end_hard(self):
        with self.control():
            self.kill()


def services(data):
    known = ports(gateways_of(data))
    return {name: Service(name, port, data) for name, port in known.items()}


def find_binary():
    """The release build if there is one, else the debug build, else a new release build."""
    if os.environ.get("THRONG_BIN"):
        return pathlib.Path(os.environ["THRONG_BIN"]).resolve()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    for profile in ("release", "debug"):
        if os.access(target / profile / "throng", os.X_OK):
            return target / profile / "throng"
    print("building Throng in release mode; that takes some minutes")
    run("cargo", "build", "--locked", "--release", "-p", "throng", cwd=REPOSITORY)
    return target / "release/throng"


def write_config(data):
    """Writes the one file of all processes; the keys that an earlier one has stay."""
    file = data / "throng.toml"
    if file.exists():
        return
    of = lambda role: json.dumps(
        [f"{HOST}:{port}" for name, port in PORTS.items() if name.rpartition("-")[0] == role])
    voters = json.dumps(
        [f"{name}={HOST}:{port}" for name, port in PORTS.items() if "router" in name])
    file.touch(mode=0o600)
    file.write_text(f"""\
# Of the cluster on this machine, for all its processes; made by deploy/local/cluster.

[[app]]
id = {APP}
key = "{secrets.token_hex(32)}"
admins = ["{ADMIN}"]

[cluster]
secret = "{secrets.token_hex(32)}"
group_routers = {of("group-router")}
history = {of("history")}
directory = {of("directory")}
callback = {of("callback")}

[group_router.placement]
voters = {voters}

[nats]
servers = ["{HOST}:{NATS_PORT}"]

[cql]
nodes = ["{HOST}:{CASSANDRA_PORT}"]
replication = 1

[gateway.demo]
app = {APP}
room = "{ROOM}"
sdk_path = "{REPOSITORY / "demo/vendor/sdk.js"}"
""")


def app_key(data):
    for line in (data / "throng.toml").read_text().splitlines():
        if line.startswith("key = "):
            return json.loads(line.removeprefix("key = "))
    raise Failed(f"no key of an app in {data / 'throng.toml'}")


class Client:
    """What somebody needs who connects: signatures, addresses, a first room."""

    def __init__(self, binary, data):
        self.binary = binary
        self.key = app_key(data)
        self.gateways = [f"{HOST}:{gateway_port(number)}" for number in range(gateways_of(data))]

    def sign(self, user):
        words = [self.binary, "usersig", "sign", "--app", f"{APP}:{self.key}", "--user", user,
                 "--expire", str(SIGNATURE_SECONDS)]
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                              env=settings())
        if done.returncode:
            raise Failed(f"usersig sign failed: {done.stderr}")
        return done.stdout.strip()

    def url(self, command):
        query = urllib.parse.urlencode({
            "sdkappid": APP, "identifier": ADMIN, "usersig": self.sign(ADMIN),
            "random": secrets.randbelow(1 << 32), "contenttype": "json"})
        return f"http://{self.gateways[0]}/v4/{command}?{query}"

    def make_room(self):
        """Makes the demo room unless it is there: a gateway that serves may still look for others."""
        body = json.dumps({"Type": "AVChatRoom", "GroupId": ROOM, "Name": "Demo"}).encode()
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(
                        self.url("group_open_http_svc/create_group"), body, timeout=15) as reply:
                    code = json.load(reply)["ErrorCode"]
            except (urllib.error.URLError, OSError) as error:
                code = error
            # It is there already, made by us or by others.
            if code in (0, 10021, 10025):
                return
            if time.monotonic() > end:
                raise Failed(f"the demo room cannot be made: {code}")
            time.sleep(0.2)

    def print(self):
        first, *others = self.gateways
        print(f"demo page    http://{first}/")
        print(f"proxyServer  ws://{first}   {'   '.join(f'ws://{other}' for other in others)}")
        print(f"SDKAppID     {APP}")
        print(f"secret key   {self.key}")
        print(f"live room    {ROOM}")
        print(f"userID       {USER}")
        print(f"userSig      {self.sign(USER)}")
        print(f"admin        {ADMIN}")
        print(f"admin sig    {self.sign(ADMIN)}")
        print(f"REST         curl -d '{{\"GroupIdList\":[\"{ROOM}\"]}}' "
              f"'{self.url('group_open_http_svc/get_group_info')}'")
