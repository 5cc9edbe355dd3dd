//! A small HTTP server: GET returns a text, POST and PUT return the sent body, one request after the other.

use asyncio_streams::{Error, Reader, Writer, serve};
use asyncio_streams_test_programs::{Failure, Result};

serve!(serve_client);

async fn serve_client(reader: Reader, writer: Writer) -> Result {
    // The client may leave between requests.
    while let Some(request) = next_request(&reader).await? {
        if request.has("Expect", "100-continue") {
            writer.write("HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = if request.has("Transfer-Encoding", "chunked") {
            chunks(&reader).await?
        } else {
            let length = request.get("Content-Length").unwrap_or("0").parse()?;
            reader.readexactly(length).await?
        };
        let body = match request.method() {
            "GET" | "HEAD" => b"Hello World!\n".to_vec(),
            _ => body,
        };
        writer.write(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ))?;
        if request.method() != "HEAD" {
            writer.write(body)?;
        }
        writer.drain().await?;
        if request.has("Connection", "close") {
            break;
        }
    }
    writer.close();
    writer.wait_closed().await?;
    Ok(())
}

struct Request {
    lines: Vec<String>,
}

impl Request {
    fn method(&self) -> &str {
        let line = self.lines.first().map_or("", String::as_str);
        line.split(' ').next().unwrap_or_default()
    }

    fn get(&self, name: &str) -> Option<&str> {
        let headers = self.lines.iter().filter_map(|line| line.split_once(':'));
        let mut values = headers.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim())
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.get(name)
            .is_some_and(|found| found.eq_ignore_ascii_case(value))
    }
}

async fn next_request(reader: &Reader) -> Result<Option<Request>> {
    match reader.readuntil("\r\n\r\n").await {
        Ok(head) => {
            let head = String::from_utf8_lossy(&head);
            Ok(Some(Request {
                lines: head.lines().map(str::to_owned).collect(),
            }))
        }
        Err(Error::IncompleteRead(read)) if read.partial.is_empty() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn chunks(reader: &Reader) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = reader.readline().await?;
        let line = String::from_utf8_lossy(&line);
        let size = usize::from_str_radix(line.trim(), 16)?;
        body.extend(reader.readexactly(size).await?);
        if reader.readexactly(2).await? != b"\r\n" {
            return Err(Failure::new("a chunk that does not end"));
        }
        if size == 0 {
            return Ok(body);
        }
    }
}
