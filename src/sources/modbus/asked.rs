//! A stream on which nothing may come but answers: bytes that are there before a question is sent belong to another.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Wraps a connection. RTU answers carry no number, so one that comes twice, or late, would be taken as the answer to
/// the next question; whoever writes here is told instead.
#[derive(Debug)]
pub struct Asked<T> {
    inner: T,
}

impl<T> Asked<T> {
    /// Wraps it.
    pub fn new(inner: T) -> Asked<T> {
        Asked { inner }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Asked<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Asked<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut bytes = [0; 64];
        let mut early = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.inner).poll_read(cx, &mut early) {
            Poll::Pending => Pin::new(&mut self.inner).poll_write(cx, buf),
            Poll::Ready(Ok(())) if early.filled().is_empty() => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the far side has closed it",
            ))),
            Poll::Ready(Ok(())) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "bytes came that nobody had asked for",
            ))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn bytes_that_nobody_asked_for_stop_the_next_question() {
        let (near, mut far) = tokio::io::duplex(100);
        let mut near = Asked::new(near);
        near.write_all(b"one").await.unwrap();
        far.write_all(b"answer").await.unwrap();
        let mut answer = [0; 6];
        near.read_exact(&mut answer).await.unwrap();
        near.write_all(b"two").await.unwrap();
        far.write_all(b"answer, and one more").await.unwrap();
        near.read_exact(&mut answer).await.unwrap();
        assert_eq!(near.write_all(b"three").await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_connection_closed_by_the_far_side_is_noticed_before_a_question_is_lost_in_it() {
        let (near, far) = tokio::io::duplex(100);
        drop(far);
        let outcome = Asked::new(near).write_all(b"one").await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
