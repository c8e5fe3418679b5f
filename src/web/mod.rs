//! The page: what operators sit before all day, and what an electrician looks at on a phone.
//!
//! *In*: requests of browsers; the board, the store and the API's own functions answer them. *Out*: HTML made here, in Chinese
//! or English, with a little script for what moves by itself ([`assets`]). *State*: none. What a form changes goes the way
//! the API goes: through the journal, with who and from where. Nothing is loaded from elsewhere.

pub mod actions;
pub mod alert_facts;
pub mod alert_list;
pub mod alert_page;
pub mod assets;
pub mod diagram;
pub mod enter;
pub mod frame;
pub mod links;
pub mod overview;
pub mod parts;
pub mod people;
pub mod people_forms;
pub mod rejects;
pub mod routes;
pub mod settings;
pub mod signed;
pub mod site_list;
pub mod site_page;
pub mod story;
pub mod trail;
pub mod view;
pub mod way;
