//! `group_search.query` and `group_member_search.query` (SDK protocol notes 02, 2.8; 03, 18): groups and
//! members by words in their names.
//!
//! A search looks at what there is, in the order of group IDs and then of arrival, until its page is full
//! or it has looked at much. What it hands out then goes on there, also from an empty page.

mod groups;
mod members;

use std::time::Duration;

use serde::Deserialize;
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;
use tokio::time::Instant;

use super::Call;
pub(super) use groups::search_groups;
pub(super) use members::search_members;

/// Time after which a search looks no further: a client waits longer for its answer.
const LONGEST: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    keywords: Vec<String>,
    /// 0: one of them is enough; 1: all have to be found.
    #[serde(default)]
    keyword_match_type: u32,
    count: Option<usize>,
    cursor: Option<String>,
    group_id_list: Option<Vec<String>>,
}

/// What is searched for, and where the page begins.
struct Search {
    keywords: Keywords,
    /// The words as they came: one may be the ID of a group.
    ids: Vec<String>,
    count: usize,
    cursor: Cursor,
    group_ids: Vec<String>,
    until: Instant,
}

impl Search {
    fn read(call: &Call<'_>) -> Result<Self, CommandError> {
        let request: Request = envelope::parse(&call.body, Code::SEARCH_BAD_PARAMETER)?;
        let bad = |info: String| Err(Code::SEARCH_BAD_PARAMETER.with(info));
        let count = request.count.unwrap_or(limits::SEARCH_PAGE_DEFAULT);
        if !(1..=limits::SEARCH_PAGE).contains(&count) {
            return bad(format!("Count: 1 to {}", limits::SEARCH_PAGE));
        }
        let group_ids = request.group_id_list.unwrap_or_default();
        if group_ids.len() > limits::GROUPS_PER_REQUEST {
            return bad(format!("GroupIdList: over {} groups", limits::GROUPS_PER_REQUEST));
        }
        let cursor = request.cursor.unwrap_or_default();
        Ok(Self {
            keywords: Keywords::new(&request.keywords, request.keyword_match_type)?,
            ids: request.keywords,
            count,
            cursor: Cursor::parse(&cursor)?,
            group_ids,
            until: Instant::now() + LONGEST,
        })
    }
}

/// Words, in small letters.
struct Keywords {
    words: Vec<String>,
    all: bool,
}

impl Keywords {
    fn new(words: &[String], match_type: u32) -> Result<Self, CommandError> {
        let bad = |info: String| Err(Code::SEARCH_BAD_PARAMETER.with(info));
        if words.is_empty() || words.len() > limits::SEARCH_KEYWORDS {
            return bad(format!("Keywords: 1 to {}", limits::SEARCH_KEYWORDS));
        }
        let most = limits::SEARCH_KEYWORD_BYTES;
        if words.iter().any(|word| word.is_empty() || word.len() > most) {
            return bad(format!("Keywords: each has 1 to {most} bytes"));
        }
        if match_type > 1 {
            return bad(format!("KeywordMatchType: {match_type} is neither 0 (or) nor 1 (and)"));
        }
        Ok(Self {
            words: words.iter().map(|word| word.to_lowercase()).collect(),
            all: match_type == 1,
        })
    }

    /// Whether enough of them are in these texts.
    fn are_in(&self, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let mut words = self.words.iter();
        let is_in = |word: &String| texts.iter().any(|text| text.contains(word.as_str()));
        if self.all { words.all(is_in) } else { words.any(is_in) }
    }
}

/// Where a search goes on, and what it has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cursor {
    /// Entries on earlier pages.
    listed: usize,
    /// All that were found so far.
    total: usize,
    /// Everything was looked at: there are no more than `total`.
    exact: bool,
    /// The last group that was looked at; with `member`, the one that is under way.
    group: String,
    /// The last member of it.
    member: Option<(i64, String)>,
}

impl Cursor {
    fn encode(&self) -> String {
        let (joined, user) = self.member.clone().unwrap_or_default();
        let Self { listed, total, exact, group, .. } = self;
        let exact = u8::from(*exact);
        format!("{listed}.{total}.{exact}.{joined}.{}.{user}{group}", user.len())
    }

    fn parse(text: &str) -> Result<Self, CommandError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        Self::read(text).ok_or_else(|| Code::SEARCH_BAD_PARAMETER.with("Cursor: not one of ours"))
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, '.');
        let mut next = || parts.next();
        let (listed, total) = (next()?.parse().ok()?, next()?.parse().ok()?);
        let exact = next()? == "1";
        let joined = next()?.parse().ok()?;
        let length: usize = next()?.parse().ok()?;
        let (user, group) = next()?.split_at_checked(length)?;
        let member = (!user.is_empty()).then(|| (joined, user.to_owned()));
        Some(Self { listed, total, exact, group: group.to_owned(), member })
    }
}

/// A page that fills.
struct Page<T> {
    search: Search,
    found: Vec<T>,
    /// The place that the next page begins behind.
    next: Cursor,
    /// What was found and has no room any more.
    beyond: usize,
}

impl<T> Page<T> {
    fn new(search: Search) -> Self {
        let next = search.cursor.clone();
        Self { search, found: Vec::new(), next, beyond: 0 }
    }

    fn is_first(&self) -> bool {
        self.search.cursor == Cursor::default()
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.search.count
    }

    /// Takes what was found, as long as there is room.
    fn put(&mut self, entry: T) {
        if self.is_full() {
            self.beyond += 1;
        } else {
            self.found.push(entry);
        }
    }

    /// Everything up to here was looked at.
    fn pass(&mut self, group: &str, member: Option<(i64, String)>) {
        if self.beyond == 0 {
            self.next.group = group.to_owned();
            self.next.member = member;
        }
    }

    /// Whether the search goes on. A full first page looks further, only to count.
    fn goes_on(&self, looked_at: usize, most: usize) -> bool {
        let enough = self.is_full() && !self.is_first();
        !enough && looked_at < most && Instant::now() < self.search.until
    }

    /// What was found in all, and where the next page begins; empty after the last one.
    fn end(mut self, complete: bool) -> (Vec<T>, usize, String) {
        let listed = self.next.listed + self.found.len();
        self.next.listed = listed;
        self.next.total = self.next.total.max(listed + self.beyond);
        self.next.exact |= complete && self.is_first();
        let at_end =
            (complete && self.beyond == 0) || (self.next.exact && listed >= self.next.total);
        let cursor = if at_end { String::new() } else { self.next.encode() };
        (self.found, self.next.total, cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(words: &[&str], match_type: u32) -> Keywords {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Keywords::new(&words, match_type).unwrap()
    }

    #[test]
    fn words_are_found_whatever_their_letters() {
        let any = keywords(&["CHESS", "go"], 0);
        assert!(any.are_in(&["x", "My chess club"]) && any.are_in(&["Mango", ""]));
        assert!(!any.are_in(&["che", "ss"]));
        let all = keywords(&["Ärger", "go"], 1);
        assert!(all.are_in(&["ÄRGER", "GO"]) && !all.are_in(&["ärger", "g"]));
        for (words, match_type) in [
            (vec![], 0),
            (vec![String::new()], 0),
            (vec!["a".to_owned(); 6], 0),
            (vec!["a".to_owned()], 2),
        ] {
            let error = Keywords::new(&words, match_type).err().unwrap();
            assert_eq!(error.code, Code::SEARCH_BAD_PARAMETER);
        }
    }

    #[test]
    fn a_cursor_is_a_place_again() {
        for member in [None, Some((1_800_000_000, "a.b".to_owned())), Some((-1, "ann".to_owned()))]
        {
            let group = "@TGS#_@TGS#c1.2".to_owned();
            let cursor = Cursor { listed: 20, total: 31, exact: true, group, member };
            assert_eq!(Cursor::parse(&cursor.encode()).unwrap(), cursor);
        }
        assert_eq!(Cursor::parse("").unwrap(), Cursor::default());
        for text in ["x", "1.2.1.0.0", "1.2.1.0.9.ann", "1.2.1.0.1.ä", "-1.2.1.0.0.g"] {
            assert_eq!(Cursor::parse(text).unwrap_err().code, Code::SEARCH_BAD_PARAMETER, "{text}");
        }
    }
}
