use super::*;

/// Asks as a stub resolver does, without a network.
fn asked(of: TYPE, answers: Answers, over_tcp: bool) -> (Packet<'static>, Vec<String>) {
    let transcript = Transcript::begin();
    let known = Mutex::default();
    let entry = Entry {
        answers,
        questions: Vec::new(),
        transcript: transcript.clone(),
    };
    lock(&known).insert("n.test".to_owned(), entry);
    let mut query = Packet::new_query(7);
    query.questions.push(simple_dns::Question::new(
        Name::new("N.test").unwrap(),
        of.into(),
        CLASS::IN.into(),
        false,
    ));
    let octets = query.build_bytes_vec().unwrap();
    let answer = answer(&octets, &known, over_tcp).unwrap();
    let answer: &'static [u8] = answer.leak();
    let events = transcript.events();
    let said = events.iter().map(|event| format!("{:?}", event.what));
    (Packet::parse(answer).unwrap(), said.collect())
}

fn here() -> Vec<IpAddr> {
    vec![
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    ]
}

#[test]
fn addresses_of_the_family_asked_for_are_given_and_written_down() {
    let (reply, said) = asked(TYPE::AAAA, Answers::addresses(here()), false);
    assert_eq!(reply.id(), 7);
    assert_eq!(reply.answers.len(), 1);
    assert_eq!(reply.questions[0].qname.to_string(), "N.test");
    assert_eq!(
        said,
        [r#"Datagram("AAAA of N.test?")"#, r#"Datagram("::1")"#]
    );
}

#[test]
fn what_has_no_room_over_udp_is_told_over_tcp() {
    let many = (1..=64).map(|number| IpAddr::V4(Ipv4Addr::new(127, 7, 7, number)));
    let answers = Answers::addresses(many);
    let (reply, _) = asked(TYPE::A, answers.clone(), false);
    assert!(reply.has_flags(PacketFlag::TRUNCATION) && reply.answers.is_empty());
    let (reply, said) = asked(TYPE::A, answers, true);
    assert_eq!(reply.answers.len(), 64);
    assert_eq!(said[1], r#"Datagram("64 addresses")"#);
}

#[test]
fn aliases_stand_before_the_addresses_and_lead_there() {
    let (reply, _) = asked(TYPE::A, Answers::always(Says::Aliases(3, here())), false);
    assert_eq!(reply.answers.len(), 4);
    let last = &reply.answers[3];
    assert_eq!(last.name.to_string(), "alias-3.N.test");
}

#[test]
fn answers_come_in_turn_and_the_last_one_stays() {
    let answers = Answers::always(Says::Failure).then(Says::NoSuchName);
    let said = [0, 1, 2].map(|number| answers.to(number));
    assert_eq!(said, [Says::Failure, Says::NoSuchName, Says::NoSuchName]);
}
