//! The words that a case is written in.

pub use crate::{
    case::{Case, Family, Suite, each, may, must, practice, product, should, survey},
    citation::Document,
    client::{Client, Connection, Exchange},
    http1::{Answer, Forwarded, Reply, Request},
    lab::{Chain, Lab, StreamChain},
    patience::pass,
    protocol::{EVERY, HTTP_1_1, HTTP_2, HttpVersion, IN_THE_CLEAR, Protocol},
    server::{
        Script, Server,
        script::{
            close, echo, finish, hand_over, hold, receive, receive_head, receive_to_the_end, reset,
            send,
        },
    },
    setup::{
        HostKind, Product, Setup, WEB, allowing, allowing_as_written, allowing_hosts,
        allowing_itself, allowing_the_web, connect_timeout, credentials, denying_hosts,
        excepting_hosts, few_clients, header_timeout, idle_timeout, log_that_stands_still, no_list,
        refusing_private, through_itself, tls_listener, upstream, upstream_over, websocket,
    },
    subject::{Need, User, configuration::Credentials},
    suite,
    tunnel::{End, Ending, Stopped, TlsClosure},
    verdict::{Finding, Outcome},
    wire::{Generator, Payload, stream},
};
