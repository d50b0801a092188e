// SPDX-License-Identifier: MIT OR Apache-2.0
//! A replay under way, and what came of it: a line for each call, and one for each object at the end.
//!
//! Apart because whoever answers and whoever compares need not know how recorded ids and handles lead to those of here.

use std::collections::{BTreeMap, HashMap};

use hcn_api::{Answer, Kind};
use hcn_schema::Guid;
use serde_json::Value;

use crate::{
    border::{Border, word},
    marks::Marks,
    trace::{Call, Function, Verb},
};

const V2: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;

/// What came of a replay.
#[derive(Debug, Default)]
pub struct Course {
    /// For each call its function and its answer: the document, "ok" where there is none, or the code and the record.
    pub answers: Vec<String>,
    /// For each object that is left its kind and its document.
    pub left: Vec<(Kind, Value)>,
    /// For each member that a client asked for and that the next answer about the object lacks: which, and in what.
    pub lost: Vec<String>,
    /// The same as `left`, with marks.
    pub end: Vec<String>,
}

/// What an object was asked to be, until it is asked about.
struct Wanted {
    settings: Value,
    call: usize,
}

struct Replay<'a> {
    border: &'a dyn Border,
    /// Recorded ids, and those of here.
    ids: BTreeMap<Guid, Guid>,
    /// Recorded handles, and those of here.
    handles: HashMap<u64, u64>,
    wanted: HashMap<u64, Wanted>,
    marks: Marks,
    course: Course,
}

impl Course {
    /// Asks everything in turn.
    pub fn run(border: &dyn Border, calls: &[Call]) -> Course {
        let mut replay = Replay {
            border,
            ids: BTreeMap::new(),
            handles: HashMap::new(),
            wanted: HashMap::new(),
            marks: Marks::default(),
            course: Course::default(),
        };
        for call in calls {
            let answer = replay.call(call);
            replay
                .course
                .answers
                .push(format!("{} {answer}", call.name));
        }
        replay.end();
        replay.course
    }
}

impl Replay<'_> {
    /// Asks one thing; tells the answer with marks.
    fn call(&mut self, call: &Call) -> String {
        let [_, id, text] = call.arguments.each_ref().map(|text| self.translated(text));
        for argument in &call.arguments {
            let argument = self.translated(argument);
            self.marks.ask(&argument);
        }
        match call.function {
            Function::Compute => "is not of HNS".to_owned(),
            Function::Call => {
                let (method, path) = (&call.arguments[0], self.translated(&call.arguments[1]));
                let answer = self.border.call(method, &path, &text);
                if let Ok(answer) = &answer {
                    self.learn(&call.answer["Output"], &parsed(answer)["Output"]);
                }
                self.told(answer)
            }
            Function::Object(verb, kind) => self.object(call, verb, kind, &id, &text),
        }
    }

    fn object(&mut self, call: &Call, verb: Verb, kind: Kind, id: &str, text: &str) -> String {
        let id: Guid = id.parse().unwrap_or_default();
        let about = self.handles.get(&call.about()).copied();
        match (verb, about) {
            (Verb::Enumerate, _) => {
                let answer = self.border.enumerate(kind, text);
                if let Ok(answer) = &answer {
                    self.learn(&call.answer, &parsed(answer));
                }
                self.told(answer)
            }
            (Verb::Create, network) => {
                let network = network.filter(|_| kind == Kind::Endpoint);
                let made = self.border.create(kind, network, id, text);
                let settings = parsed_or_null(text);
                // Settings of version 1 are in another shape than the answer.
                if made.is_ok() && settings["SchemaVersion"]["Major"] == 2 {
                    let wanted = Wanted {
                        settings,
                        call: self.course.answers.len(),
                    };
                    self.wanted.insert(call.handle, wanted);
                }
                self.opened(call, made)
            }
            (Verb::Open, _) => {
                let opened = self.border.open(kind, id);
                self.opened(call, opened)
            }
            (Verb::Delete, _) => {
                let answer = self.border.delete(kind, id);
                self.done(answer)
            }
            // What could not be made or opened here cannot be asked about.
            (Verb::Query | Verb::Modify | Verb::Close, None) => "has no handle".to_owned(),
            (Verb::Query, Some(handle)) => {
                let answer = self.border.query(kind, handle, text);
                if let Ok(answer) = &answer {
                    let answer = parsed(answer);
                    self.learn(&call.answer, &answer);
                    if let Some(wanted) = self.wanted.remove(&call.about()) {
                        lacks(&wanted.settings, &answer, "", &mut |what| {
                            let call = wanted.call + 1;
                            self.course.lost.push(format!("call {call}: {what}"));
                        });
                    }
                }
                self.told(answer)
            }
            (Verb::Modify, Some(handle)) => {
                let answer = self.border.modify(kind, handle, text);
                self.done(answer)
            }
            (Verb::Close, Some(handle)) => {
                self.handles.remove(&call.about());
                let answer = self.border.close(kind, handle);
                self.done(answer)
            }
        }
    }

    fn opened(&mut self, call: &Call, handle: Answer<u64>) -> String {
        let answer = handle.map(|handle| {
            self.handles.insert(call.handle, handle);
        });
        self.done(answer)
    }

    fn done(&mut self, answer: Answer<()>) -> String {
        self.told(answer.map(|()| "ok".to_owned()))
    }

    fn told(&mut self, answer: Answer<String>) -> String {
        match answer {
            Ok(text) => self.marks.mark(&text),
            Err(error) => format!("{} {}", error.code, error.record()),
        }
    }

    /// Ids that stand in the same place mean the same object.
    fn learn(&mut self, recorded: &Value, own: &Value) {
        match (recorded, own) {
            (Value::Array(recorded), Value::Array(own)) if recorded.len() == own.len() => {
                for (recorded, own) in recorded.iter().zip(own) {
                    self.learn(recorded, own);
                }
            }
            (Value::Object(_), Value::Object(_)) => self.learn(&recorded["ID"], &own["ID"]),
            (Value::String(recorded), Value::String(own)) => {
                if let (Ok(recorded), Ok(own)) = (recorded.parse(), own.parse()) {
                    self.ids.entry(recorded).or_insert(own);
                }
            }
            _ => {}
        }
    }

    /// A text with the ids of here for those recorded.
    fn translated(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (recorded, own) in &self.ids {
            text = text
                .replace(&recorded.upper(), &own.upper())
                .replace(&recorded.to_string(), &own.to_string());
        }
        text
    }

    /// What is left, kind by kind.
    fn end(&mut self) {
        for kind in Kind::ALL {
            let ids = self.border.enumerate(kind, "").expect("a list");
            for id in parsed(&ids).as_array().expect("a list of ids") {
                let id = id.as_str().expect("an id").parse().expect("an id");
                let handle = self.border.open(kind, id).expect("what is listed opens");
                let text = self.border.query(kind, handle, V2).expect("a document");
                self.border
                    .close(kind, handle)
                    .expect("what is open closes");
                let line = format!("{} {}", word(kind), self.marks.mark(&text));
                self.course.end.push(line);
                self.course.left.push((kind, parsed(&text)));
            }
        }
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn parsed_or_null(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// The words for zero of an enumeration, which HNS leaves out (hns-behaviour 2.1): of a network, of its addresses, of a namespace.
const ZERO: [&str; 3] = ["NAT", "Static", "Host"];

/// Tells each member of the settings that the document does not have as it was asked for.
///
/// Empty values ask for nothing (hns-behaviour 1.6); the schema version says how the settings are written.
fn lacks(settings: &Value, document: &Value, at: &str, tell: &mut dyn FnMut(String)) {
    match (settings, document) {
        (Value::Object(settings), Value::Object(document)) => {
            for (name, value) in settings {
                if is_empty(value) || (at.is_empty() && name == "SchemaVersion") {
                    continue;
                }
                let own = document.get(name).unwrap_or(&Value::Null);
                lacks(value, own, &format!("{at}/{name}"), tell);
            }
        }
        (Value::Array(settings), Value::Array(document)) if settings.len() == document.len() => {
            for (number, (value, own)) in settings.iter().zip(document).enumerate() {
                lacks(value, own, &format!("{at}/{number}"), tell);
            }
        }
        (settings, document) if settings == document => {}
        (Value::String(word), Value::Null)
            if at.ends_with("/Type") && ZERO.contains(&word.as_str()) => {}
        _ => tell(format!("{at} was {settings} and is {document}")),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_asked_for_and_is_not_there_is_told_with_its_place() {
        let settings = json!({"SchemaVersion": {"Major": 2}, "Name": "a", "Dns": {}, "Policies": [{"Type": "ACL", "Settings": {"Id": "x"}}]});
        let document = json!({"Name": "b", "Policies": [{"Type": "ACL", "Settings": {}}]});
        let mut told = Vec::new();
        lacks(&settings, &document, "", &mut |what| told.push(what));
        assert_eq!(
            told,
            [
                r#"/Name was "a" and is "b""#,
                r#"/Policies/0/Settings/Id was "x" and is null"#
            ]
        );
    }
}
