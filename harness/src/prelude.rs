//! The words that a case is written in.

pub use crate::{
    case::{
        Case, Need, Setup, Suite, each, httpd, may, must, practice,
        setup::{
            allow_connect, allowing, allowing_itself, connect_timeout, credentials, few_clients,
            header_timeout, idle_timeout, no_list, through_itself, tls_listener, upstream,
        },
        should, survey,
    },
    client::{Answer, Client, Connection, Exchange, Reply, Request},
    lab::{Chain, Lab, User, patience::pass},
    proxy::config::Credentials,
    server::{
        Forwarded, Script, Server,
        script::{
            close, echo, finish, hand_over, hold, receive, receive_head, receive_to_the_end, reset,
            send,
        },
    },
    spec::Document,
    suite,
    tunnel::{End, Ending, Farewell},
    verdict::{Finding, Outcome},
    wire::{Generator, Payload, stream},
};
