//! An answer as it comes: in pieces that the network cuts, and that change nothing about what it is.

use crate::http1::{Answer, Reply, head, reply};

/// What a proxy may send before its final response.
const INTERIM_LIMIT: usize = 16;

/// What was read as an answer, and what was read too far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What the proxy did.
    pub answer: Answer,
    /// What came after its head.
    pub rest: Vec<u8>,
}

/// An answer that is not whole yet.
#[derive(Debug, Default)]
pub struct Hearing {
    /// What has come of the head that is being read.
    bytes: Vec<u8>,
    interim: Vec<Reply>,
}

impl Hearing {
    /// Takes what has come next. Once the answer is whole, or cannot be one any more, that is handed back.
    pub fn feed(&mut self, piece: &[u8]) -> Option<Heard> {
        self.bytes.extend_from_slice(piece);
        // What lies behind the limit may have come or not: it is not looked at.
        while let Some(end) = head::end_of_head(&self.bytes).filter(|&end| end <= reply::HEAD_LIMIT)
        {
            let rest = self.bytes.split_off(end);
            match reply::parse(&self.bytes) {
                Ok(reply) if is_interim(&reply) && self.interim.len() < INTERIM_LIMIT => {
                    self.interim.push(reply);
                    self.bytes = rest;
                }
                Ok(reply) => {
                    let interim = std::mem::take(&mut self.interim);
                    let answer = Answer::Reply(Reply { interim, ..reply });
                    return Some(Heard { answer, rest });
                }
                Err(why) => {
                    self.bytes.extend_from_slice(&rest);
                    return Some(self.garbage(why));
                }
            }
        }
        let is_endless = self.bytes.len() > reply::HEAD_LIMIT;
        is_endless.then(|| self.garbage("a head without end".to_owned()))
    }

    /// Nothing more comes; `end` is what that was.
    #[must_use]
    pub fn ends(mut self, end: Answer) -> Heard {
        let is_cut_off = end == Answer::Reset && begins_a_head(&self.bytes);
        if self.bytes.is_empty() || is_cut_off {
            return Heard {
                answer: end,
                rest: Vec::new(),
            };
        }
        self.garbage(format!("then {}", end.describe()))
    }

    fn garbage(&mut self, why: String) -> Heard {
        let bytes = std::mem::take(&mut self.bytes);
        Heard {
            answer: Answer::Garbage { bytes, why },
            rest: Vec::new(),
        }
    }
}

/// Whether a response may have begun. A proxy that closes with unread bytes of the client in its socket resets the
/// connection, and that erases what the client has not read yet (RFC 9112, section 9.6): a head that such a reset cuts
/// off was no answer, and not a malformed one.
fn begins_a_head(bytes: &[u8]) -> bool {
    const START: &[u8] = b"HTTP/1.";
    bytes.iter().zip(START).all(|(is, due)| is == due)
}

/// 101 is no interim response: it ends HTTP on its connection.
const fn is_interim(reply: &Reply) -> bool {
    reply.status < 200 && reply.status != 101
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interim_responses_are_kept_with_the_final_one() {
        let mut hearing = Hearing::default();
        assert_eq!(
            hearing.feed(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 2"),
            None
        );
        let heard = hearing.feed(b"00 OK\r\n\r\nrest").unwrap();
        let Answer::Reply(reply) = &heard.answer else {
            panic!("{heard:?}");
        };
        assert_eq!((reply.status, reply.interim.len()), (200, 1));
        assert_eq!(heard.rest, b"rest");
    }

    #[test]
    fn a_reset_cuts_off_a_head_but_makes_no_head_of_anything_else() {
        let heard = |bytes: &[u8], end| {
            let mut hearing = Hearing::default();
            assert_eq!(hearing.feed(bytes), None);
            hearing.ends(end).answer
        };
        for part in ["", "HT", "HTTP/1.1 403 Forbidden\r\nDate: T"] {
            assert_eq!(heard(part.as_bytes(), Answer::Reset), Answer::Reset);
        }
        let ended = heard(b"HTTP/1.1 403 Forb", Answer::Closed);
        let page = heard(b"<html>", Answer::Reset);
        for answer in [ended, page] {
            assert!(matches!(answer, Answer::Garbage { .. }), "{answer:?}");
        }
    }

    #[test]
    fn a_head_past_the_limit_is_garbage_also_where_its_end_came_along() {
        let head = format!("HTTP/1.1 200 {}\r\n\r\n", "x".repeat(reply::HEAD_LIMIT));
        for cut in [head.len(), 4096, 999] {
            let mut hearing = Hearing::default();
            let heard = head
                .as_bytes()
                .chunks(cut)
                .find_map(|piece| hearing.feed(piece));
            let Some(Answer::Garbage { why, .. }) = heard.map(|heard| heard.answer) else {
                panic!("in pieces of {cut}");
            };
            assert_eq!(why, "a head without end", "in pieces of {cut}");
        }
    }
}
