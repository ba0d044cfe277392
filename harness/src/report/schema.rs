//! The published JSON Schema of a report, held against reports.

use std::path::Path;

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

use crate::report::{Report, format::json::json, sample::report};

/// The schema as it is published.
fn published() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/report.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What the schema says against a report; empty where it keeps it.
fn complaints(schema: Value, report: &Value) -> String {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.enable_format_assertions();
    compiler.add_resource("report.schema.json", schema).unwrap();
    let schema = compiler
        .compile("report.schema.json", &mut schemas)
        .unwrap();
    schemas
        .validate(report, schema)
        .map_or_else(|error| format!("{error:#}"), |()| String::new())
}

fn value(report: &Report) -> Value {
    serde_json::from_str(&json(report).unwrap()).unwrap()
}

/// A report that uses every optional field.
fn full() -> Report {
    let mut report = report();
    report.run.interrupted = true;
    report.run.refused = Some("it did not start".to_owned());
    report.run.deaths = vec!["it ended: by signal 11".to_owned()];
    report.run.stale = vec!["`close/gone` names no case".to_owned()];
    report.run.partition = Some("1/3".to_owned());
    report.results[0].left_out = 3;
    report.results[0].relies_on = vec!["close/gone".parse().unwrap()];
    report.results[0].follows_from = Some("close/gone[row]".parse().unwrap());
    report
}

/// Forbids in each object whatever is not named in it.
fn forbid_the_unknown(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("type") == Some(&json!("object")) {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(forbid_the_unknown);
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_the_unknown),
        _ => {}
    }
}

#[test]
fn a_report_keeps_the_published_schema() {
    assert_eq!(complaints(published(), &value(&report())), "");
    assert_eq!(complaints(published(), &value(&full())), "");
}

#[test]
fn every_field_of_a_report_is_in_the_published_schema() {
    let mut strict = published();
    forbid_the_unknown(&mut strict);
    assert_eq!(complaints(strict, &value(&full())), "");
}

#[test]
fn the_published_schema_refuses_what_is_no_report() {
    let mut other = value(&report());
    other["schema"] = json!("connectspec.report/2");
    let mut missing = value(&report());
    missing["run"].as_object_mut().unwrap().remove("seed");
    let mut unknown = value(&report());
    unknown["results"][0]["verdict"] = json!("maybe");
    for bad in [other, missing, unknown] {
        assert_ne!(complaints(published(), &bad), "");
    }
}
