//! The placement as people read it (`throng admin placement`).

use std::fmt::Write as _;

use throng_proto::v1;

/// A description as text: who leads, who is there and owns how much, and what is not as it should be.
#[must_use]
pub fn table(described: &v1::DescribePlacementReply) -> String {
    let mut text = String::new();
    let leader = or_nobody(&described.leader);
    let v1::DescribePlacementReply { term, version, answered_by, .. } = described;
    let _ = writeln!(text, "leader    {leader} (term {term})");
    let _ = writeln!(text, "version   {version}, as {answered_by} knows it");
    let _ = writeln!(text, "voters    {}", described.voters.join(", "));
    if !described.learners.is_empty() {
        let _ = writeln!(text, "learners  {}", described.learners.join(", "));
    }
    let _ = writeln!(text, "shards    {}", shards(described));
    let mut rows =
        vec![["NODE", "ROLE", "ADDRESS", "SHARDS", "ARRIVING", "DEPARTING", ""].map(str::to_owned)];
    rows.extend(described.nodes.iter().map(row));
    let _ = writeln!(text);
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn or_nobody(name: &str) -> &str {
    if name.is_empty() { "nobody" } else { name }
}

fn shards(described: &v1::DescribePlacementReply) -> String {
    let all = described.shards.len();
    let without = described.shards.iter().filter(|shard| shard.owner.is_empty()).count();
    let epochs = described.shards.iter().map(|shard| shard.epoch);
    let epochs = epochs.clone().min().zip(epochs.max());
    let mut text = match epochs {
        None => return "none, the placement has not begun".to_owned(),
        Some((least, most)) => format!("{all}, epochs {least} to {most}"),
    };
    if without > 0 {
        let _ = write!(text, "; {without} WITHOUT AN OWNER");
    }
    text
}

fn row(described: &v1::NodeDescription) -> [String; 7] {
    let node = described.node.clone().unwrap_or_default();
    let (role, owns) = match node.role() {
        v1::NodeRole::RoleGroupRouter => ("group-router", true),
        v1::NodeRole::RolePresence => ("presence", false),
        v1::NodeRole::Unspecified => ("?", false),
    };
    let count = |count: u32| if owns { count.to_string() } else { "-".to_owned() };
    let note = if node.leaving { "leaving" } else { "" };
    [
        node.name,
        role.to_owned(),
        node.address,
        count(described.shards),
        count(described.arriving),
        count(described.departing),
        note.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, role: v1::NodeRole, shards: u32, leaving: bool) -> v1::NodeDescription {
        let node = v1::ClusterNode {
            name: name.to_owned(),
            role: role.into(),
            address: format!("{name}.routers:7082"),
            incarnation: 5,
            leaving,
        };
        v1::NodeDescription { node: Some(node), shards, arriving: 1, departing: 0 }
    }

    #[test]
    fn a_table_for_people() {
        let shard =
            |owner: &str, epoch| v1::ShardPlacement { shard: 0, owner: owner.to_owned(), epoch };
        let described = v1::DescribePlacementReply {
            leader: "router-0".to_owned(),
            term: 4,
            version: 93,
            voters: vec!["router-0".to_owned(), "router-1".to_owned()],
            learners: vec!["router-10".to_owned()],
            nodes: vec![
                node("presence-0", v1::NodeRole::RolePresence, 0, false),
                node("router-0", v1::NodeRole::RoleGroupRouter, 512, true),
            ],
            shards: vec![shard("router-0", 7), shard("", 9)],
            answered_by: "router-1".to_owned(),
        };
        let expected = "\
leader    router-0 (term 4)
version   93, as router-1 knows it
voters    router-0, router-1
learners  router-10
shards    2, epochs 7 to 9; 1 WITHOUT AN OWNER

NODE        ROLE          ADDRESS                  SHARDS  ARRIVING  DEPARTING
presence-0  presence      presence-0.routers:7082  -       -         -
router-0    group-router  router-0.routers:7082    512     1         0          leaving
";
        assert_eq!(table(&described), expected);
        let empty = table(&v1::DescribePlacementReply::default());
        assert!(empty.contains("leader    nobody") && empty.contains("has not begun"), "{empty}");
    }
}
