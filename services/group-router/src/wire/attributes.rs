//! Changes of group attributes and counters (SDK protocol notes 02, 2.5 and 2.6). They take no MsgSeq:
//! clients handle them before they look at it.

use serde::Serialize;

use super::Encoded;
use super::item::GroupInfo;
use super::system::{Stamp, system_item};

/// One attribute as the push carries it; `value` is absent for deleted ones.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChangedAttribute {
    pub(crate) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    pub(crate) seq: u64,
}

#[derive(Serialize)]
struct AttributesBody<'a> {
    #[serde(rename = "OpType")]
    op: u32,
    #[serde(rename = "MsgGroupNewInfo")]
    info: AttributesInfo<'a>,
}

#[derive(Serialize)]
struct AttributesInfo<'a> {
    #[serde(rename = "GroupAttrOption")]
    option: AttributesOption<'a>,
}

#[derive(Serialize)]
struct AttributesOption<'a> {
    #[serde(rename = "GroupAttrSeq")]
    main_seq: u64,
    #[serde(rename = "PushChangedAttrValFlag")]
    with_values: u32,
    #[serde(rename = "OpType")]
    op: u32,
    #[serde(rename = "GroupAttrInfo")]
    changed: &'a [ChangedAttribute],
}

#[derive(Serialize)]
struct CountersBody<'a> {
    #[serde(rename = "GroupCounterInfo")]
    info: [CountersInfo<'a>; 1],
}

#[derive(Serialize)]
struct CountersInfo<'a> {
    #[serde(rename = "Type")]
    kind: u32,
    #[serde(rename = "GroupCounterSeq")]
    seq: u64,
    #[serde(rename = "GroupCounter")]
    counters: Vec<Counter<'a>>,
}

#[derive(Serialize)]
struct Counter<'a> {
    #[serde(rename = "Key")]
    key: &'a str,
    #[serde(rename = "Value")]
    value: i64,
}

/// A write of attributes: `op` is 1 replace, 2 merge, 3 clear, 4 delete. Sequence numbers have no
/// holes, or every client of the room would fetch at once.
pub(crate) fn attributes_item(
    group_info: GroupInfo<'_>,
    main_seq: u64,
    op: u32,
    changed: &[ChangedAttribute],
    random: u32,
    time: i64,
) -> Encoded {
    let info =
        AttributesInfo { option: AttributesOption { main_seq, with_values: 1, op, changed } };
    online_only(group_info, AttributesBody { op: 6, info }, random, time)
}

/// New values of counters; `deleted` sends the kind that removes them.
pub(crate) fn counters_item(
    group_info: GroupInfo<'_>,
    seq: u64,
    counters: &[(String, i64)],
    deleted: bool,
    random: u32,
    time: i64,
) -> Encoded {
    let counters = counters.iter().map(|(key, value)| Counter { key, value: *value }).collect();
    let info = [CountersInfo { kind: u32::from(deleted), seq, counters }];
    online_only(group_info, CountersBody { info }, random, time)
}

fn online_only(group_info: GroupInfo<'_>, body: impl Serialize, random: u32, time: i64) -> Encoded {
    system_item(6, group_info, Stamp { msg_seq: 0, random, time }, body)
}
