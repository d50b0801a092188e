// SPDX-License-Identifier: MIT OR Apache-2.0
//! As much HTTP/1.1 as a probe needs: a server that answers a GET, and the length of an answer.
//!
//! Apart, because it knows bytes and nothing of packets. A request that is no HTTP is answered with 400 and the connection closed.

use std::sync::Arc;

use smoltcp::socket::tcp;

/// One connection to the server.
#[derive(Debug)]
pub(crate) struct HttpConversation {
    body: Arc<[u8]>,
    request: Vec<u8>,
    answer: Vec<u8>,
    sent: usize,
    last: bool,
}

/// Longest request head, in bytes; what common servers take.
const LONGEST_HEAD: usize = 8192;

impl HttpConversation {
    pub(crate) fn new(body: Arc<[u8]>) -> Self {
        HttpConversation {
            body,
            request: Vec::new(),
            answer: Vec::new(),
            sent: 0,
            last: false,
        }
    }

    /// Reads what came and answers it; whether anything was done.
    pub(crate) fn serve(&mut self, socket: &mut tcp::Socket) -> bool {
        let mut worked = false;
        while socket.can_recv() {
            let Ok(bytes) = socket.recv(|bytes| (bytes.len(), bytes.to_vec())) else {
                break;
            };
            worked = true;
            if !self.last {
                self.request.extend_from_slice(&bytes);
            }
        }
        self.answer_requests();
        while self.sent < self.answer.len() && socket.can_send() {
            let Ok(sent) = socket.send_slice(&self.answer[self.sent..]) else {
                break;
            };
            self.sent += sent;
            worked = true;
        }
        if self.sent == self.answer.len() {
            self.answer.clear();
            self.sent = 0;
            let half_closed = socket.state() == tcp::State::CloseWait;
            if half_closed || self.last && socket.may_send() {
                socket.close();
                worked = true;
            }
        }
        worked
    }

    fn answer_requests(&mut self) {
        while !self.last {
            let Some(head_length) = head_length(&self.request) else {
                if self.request.len() > LONGEST_HEAD {
                    self.answer_with("431 Request Header Fields Too Large", true, false);
                }
                return;
            };
            let head: Vec<u8> = self.request.drain(..head_length).collect();
            let mut words = head
                .split(|byte| *byte == b'\r')
                .next()
                .unwrap_or_default()
                .split(|byte| *byte == b' ');
            let (method, version) = (words.next(), words.nth(1));
            let closes = version == Some(b"HTTP/1.0")
                || field(&head, "connection")
                    .is_some_and(|value| value.eq_ignore_ascii_case("close"));
            match (method, version) {
                (_, None) => self.answer_with("400 Bad Request", true, false),
                (_, Some(version)) if !version.starts_with(b"HTTP/1.") => {
                    self.answer_with("400 Bad Request", true, false);
                }
                (Some(b"GET"), _) => self.answer_with("200 OK", closes, true),
                _ => self.answer_with("405 Method Not Allowed", true, false),
            }
        }
    }

    fn answer_with(&mut self, status: &str, last: bool, with_body: bool) {
        self.last = last;
        let body: &[u8] = if with_body { &self.body } else { &[] };
        let connection = if last { "close" } else { "keep-alive" };
        self.answer.extend_from_slice(
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n",
                body.len()
            )
            .as_bytes(),
        );
        self.answer.extend_from_slice(body);
    }
}

/// Whether `answer` is a whole HTTP answer by its own word; `None` where it does not say, or is no HTTP.
pub(crate) fn is_whole(answer: &[u8]) -> Option<bool> {
    if !answer.starts_with(b"HTTP/") {
        return None;
    }
    let Some(head_length) = head_length(answer) else {
        return Some(false);
    };
    let length: usize = field(&answer[..head_length], "content-length")?
        .parse()
        .ok()?;
    Some(answer.len() - head_length >= length)
}

/// Bytes up to and with the empty line.
fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|at| at + 4)
}

/// The value of a header field.
fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    std::str::from_utf8(head)
        .ok()?
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_content_length_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        assert_eq!(is_whole(answer), Some(true));
        assert_eq!(is_whole(&answer[..answer.len() - 1]), Some(false));
        assert_eq!(is_whole(b"HTTP/1.1 200 OK\r\nContent-Le"), Some(false));
        assert_eq!(is_whole(b"HTTP/1.1 200 OK\r\n\r\nhello"), None);
        assert_eq!(is_whole(b"SSH-2.0-x\r\n\r\n"), None);
    }

    /// What the server answers to a request that comes in one piece.
    fn answer(request: &[u8]) -> (String, bool) {
        let mut conversation = HttpConversation::new(b"<p>body"[..].into());
        conversation.request.extend_from_slice(request);
        conversation.answer_requests();
        (
            String::from_utf8(conversation.answer).unwrap(),
            conversation.last,
        )
    }

    #[test]
    fn a_get_is_answered_and_other_requests_are_refused() {
        let (text, last) = answer(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(
            text.ends_with("Content-Length: 7\r\nConnection: keep-alive\r\n\r\n<p>body"),
            "{text}"
        );
        assert!(!last);
        assert!(answer(b"GET / HTTP/1.0\r\n\r\n").1);
        assert!(answer(b"GET / HTTP/1.1\r\nconnection: Close\r\n\r\n").1);
        for (request, status) in [
            (&b"POST / HTTP/1.1\r\n\r\n"[..], "405"),
            (b"GET /\r\n\r\n", "400"),
            (b"\x16\x03\x01\r\n\r\n", "400"),
            (&[b'a'; LONGEST_HEAD + 1], "431"),
        ] {
            let (text, last) = answer(request);
            assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
            assert!(last);
        }
    }

    #[test]
    fn requests_in_one_piece_are_answered_in_order() {
        let (text, _) = answer(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET /");
        assert_eq!(text.matches("200 OK").count(), 2);
    }
}
