use crate::cases::reply::proxy_status::*;

fn reply(status: u16, value: &str) -> Reply {
    Reply {
        head: Vec::new(),
        minor: 1,
        status,
        reason: String::new(),
        fields: vec![("Proxy-Status".to_owned(), value.as_bytes().to_vec())],
        interim: Vec::new(),
    }
}

#[test]
fn a_list_is_parsed_and_what_is_none_is_a_violation() {
    let right = reply(
        502,
        "a; error=connection_refused, \"b c\"; next-hop=\"10.0.0.1\"",
    );
    assert_eq!(members(&right).unwrap().len(), 2);
    for wrong in ["a;;", "1", "(a b)", "\"a", "a; error="] {
        assert!(members(&reply(502, wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn a_status_that_goes_with_another_error_is_a_violation() {
    let judged = |status, value| {
        let reply = reply(status, value);
        let member = members(&reply).unwrap().remove(0);
        goes_with_status(&reply, &member)
    };
    assert!(judged(502, "a; error=connection_refused").is_ok());
    assert!(judged(403, "a; error=destination_ip_prohibited").is_ok());
    assert!(judged(404, "a; error=something_new").is_ok());
    assert!(judged(403, "a; error=connection_refused").is_err());
}

#[test]
fn a_parameter_of_another_type_is_a_violation() {
    let member = members(&reply(502, "a; received-status=\"200\""))
        .unwrap()
        .remove(0);
    let is = |value: &BareItem| matches!(value, BareItem::Integer(_));
    assert!(typed(&member, "received-status", "an integer", is).is_err());
    assert!(typed(&member, "next-hop", "a string", is).is_ok());
}
