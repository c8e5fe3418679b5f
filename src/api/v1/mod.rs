//! The API for programs and for the pages, under `/api/v1`: JSON, described by the OpenAPI document at
//! `/api/v1/openapi.json`, which is made from this code. Moments are UTC in ms. Errors are problem documents (RFC 9457).
//!
//! *In*: requests of a [`Caller`](super::caller::Caller) who is known. *Out*: what their scope lets them see. What changes
//! something goes through the journal, with who and from where.

pub mod alerts;
pub mod daemon;
pub mod deeds;
pub mod live;
pub mod people;
pub mod readings;
pub mod routes;
pub mod sites;
pub mod take;
pub mod window;
