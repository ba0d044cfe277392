use etherparse::{SlicedPacket, TcpSlice, TransportSlice};

use crate::{report::sample, transcript::pcapng::*};

fn capture(events: &[Event], secrets: &Secrets) -> Vec<u8> {
    pcapng(&Capture {
        events,
        secrets,
        comment: "close/the_last_words_arrive",
        began: Duration::from_secs(1_772_366_400),
        key_log: None,
    })
}

/// The body of each block of that kind.
fn blocks(file: &[u8], kind: u32) -> Vec<&[u8]> {
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut at = 0;
    let mut found = Vec::new();
    while at < file.len() {
        let length = number(at + 4) as usize;
        assert_eq!(length % 4, 0);
        assert_eq!(number(at + length - 4) as usize, length);
        if number(at) == kind {
            found.push(&file[at + 8..at + length - 4]);
        }
        at += length;
    }
    assert_eq!(at, file.len());
    found
}

fn packets(file: &[u8]) -> Vec<Vec<u8>> {
    blocks(file, File::PACKET)
        .into_iter()
        .map(|body| {
            let length = u32::from_le_bytes(body[12..16].try_into().unwrap()) as usize;
            body[20..20 + length].to_vec()
        })
        .collect()
}

fn tcp(packet: &[u8]) -> TcpSlice<'_> {
    let Some(TransportSlice::Tcp(tcp)) = SlicedPacket::from_ip(packet).unwrap().transport else {
        panic!("no TCP");
    };
    tcp
}

#[test]
fn each_stream_carries_exactly_its_bytes() {
    let file = capture(&sample::transcript(), &Secrets::default());
    let packets = packets(&file);
    let payload: Vec<u8> = packets
        .iter()
        .flat_map(|packet| tcp(packet).payload().to_vec())
        .collect();
    let text = String::from_utf8(payload).unwrap();
    assert_eq!(
        text,
        "CONNECT 127.0.0.1:40123 HTTP/1.1\r\nHost: 127.0.0.1:40123\r\n\r\n\
         HTTP/1.1 200 Connection Established\r\n\r\ngoodbye"
    );
    assert_eq!(blocks(&file, File::INTERFACE).len(), 3);
}

#[test]
fn numbers_and_checksums_are_right() {
    let file = capture(&sample::transcript(), &Secrets::default());
    let mut next: HashMap<u16, u32> = HashMap::new();
    for packet in packets(&file) {
        let sliced = SlicedPacket::from_ip(&packet).unwrap();
        let tcp = tcp(&packet);
        let Some(etherparse::NetSlice::Ipv4(ip)) = &sliced.net else {
            panic!("no IPv4");
        };
        let header = ip.header().to_header();
        assert_eq!(header.header_checksum, header.calc_header_checksum());
        let checksum = tcp
            .calc_checksum_ipv4(header.source, header.destination)
            .unwrap();
        assert_eq!(tcp.checksum(), checksum);

        let expected = next
            .entry(tcp.source_port())
            .or_insert_with(|| tcp.sequence_number());
        assert_eq!(*expected, tcp.sequence_number());
        let length = tcp.payload().len() + usize::from(tcp.syn()) + usize::from(tcp.fin());
        *expected = expected.wrapping_add(length as u32);
    }
}

#[test]
fn no_secret_is_in_the_file_and_lengths_stay() {
    let plain = capture(&sample::transcript(), &Secrets::default());
    let hidden = capture(&sample::transcript(), &Secrets::new(["goodbye"]));
    assert_eq!(plain.len(), hidden.len());
    assert!(plain.windows(7).any(|window| window == b"goodbye"));
    assert!(!hidden.windows(7).any(|window| window == b"goodbye"));
    assert!(hidden.windows(7).any(|window| window == b"xxxxxxx"));
}

#[test]
fn bytes_that_were_not_kept_leave_a_gap_with_a_comment() {
    let mut events = sample::transcript();
    let Some(Event { what, .. }) = events.get_mut(4) else {
        panic!()
    };
    *what = What::Data {
        kept: vec![],
        length: 1 << 33,
        digest: Some("0123".to_owned()),
    };
    let file = capture(&events, &Secrets::default());
    let comment = b"8589934592 bytes were not kept here, blake3 0123";
    assert!(file.windows(comment.len()).any(|window| window == comment));
}
