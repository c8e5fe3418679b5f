//! Style, script and pictures, inside the program. Their names carry what is in them, so that browsers keep them for good and
//! never mix those of two versions.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// A year: what is under a name never changes.
const KEPT: &str = "public, max-age=31536000, immutable";

/// Name, type, content.
const FILES: [(&str, &str, &str); 6] = [
    ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("assets/page.js")),
    ("chart.js", "text/javascript; charset=utf-8", include_str!("assets/chart.js")),
    ("uplot.js", "text/javascript; charset=utf-8", include_str!("assets/vendor/uplot.js")),
    ("uplot.css", "text/css; charset=utf-8", include_str!("assets/vendor/uplot.css")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

static MARK: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (_, _, content) in FILES {
        hash.update(content);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
});

/// Where a file is.
#[must_use]
pub fn path(name: &str) -> String {
    format!("/assets/{}/{name}", *MARK)
}

/// A file. Of another version there is none: its page is told to load again.
pub async fn file(Path((mark, name)): Path<(String, String)>) -> Response {
    match FILES.iter().find(|(own, _, _)| *own == name) {
        Some((_, kind, content)) if mark == *MARK => {
            ([(CONTENT_TYPE, *kind), (CACHE_CONTROL, KEPT)], *content).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
