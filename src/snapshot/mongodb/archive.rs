//! Reads an archive as `mongodump --archive` writes it: what it says of each collection, and its documents, whose checksums
//! are computed and compared. Nothing of it is taken as true that a checksum, or an end that is due, has not shown.
//!
//! It begins with a number; then a block that says which collections there are; then blocks of documents, each of one
//! collection, of which a collection may have many; at last, for each collection, a header without documents that says its
//! checksum. A block is a header, documents, and four bytes `0xff`.
//!
//! Source: mongo-tools, `common/archive/spec.md` and the code beside it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::snapshot::crc64::Crc64;
use crate::snapshot::digest::{Digest, Lines};
use crate::snapshot::dump_reading::DumpText;
use crate::snapshot::mongodb::bson::{Document, LARGEST};

/// What an archive begins with.
const MAGIC: [u8; 4] = 0x8199_e26d_u32.to_le_bytes();

/// What ends a block.
const END: [u8; 4] = [0xff; 4];

/// What stands before the name of a time series where its documents are.
const BUCKETS: &str = "system.buckets.";

/// What a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Collection,
    View,
    TimeSeries,
}

impl Kind {
    /// Reads it as the server says it; older ones say nothing of collections.
    pub(crate) fn of(said: Option<&str>) -> Kind {
        match said {
            Some("view") => Kind::View,
            Some("timeseries") => Kind::TimeSeries,
            _ => Kind::Collection,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Collection => "collection",
            Kind::View => "view",
            Kind::TimeSeries => "time series",
        }
    }
}

/// A collection as an archive has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collection {
    pub(crate) kind: Kind,
    /// Its options and its indexes, as the tool wrote them.
    pub(crate) options: Json,
    pub(crate) indexes: Vec<Json>,
    /// Its documents in any order; of a time series, its buckets.
    pub(crate) documents: Digest,
}

/// What an archive holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) collections: BTreeMap<String, Collection>,
}

/// What is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Magic,
    /// What the archive says of itself.
    Header,
    /// A collection of the database, or the end of their list.
    Listed,
    /// The header of a block, or the end of the archive.
    Block,
    /// A document of the collection of that number, or the end of the block.
    Document(usize),
    /// The end of a block that has no documents.
    End,
}

/// A collection while it is read.
struct Reading {
    name: String,
    /// The name that its documents stand under.
    stands_under: String,
    collection: Collection,
    lines: Lines,
    crc: Crc64,
    is_complete: bool,
}

/// Takes an archive in pieces.
pub(crate) struct ArchiveReader {
    /// The database that it is to be of.
    database: String,
    expected: Expected,
    collections: Vec<Reading>,
    /// What was not read yet.
    begun: Vec<u8>,
    /// What is wrong with it.
    fault: Option<String>,
}

impl ArchiveReader {
    /// Begins to read an archive of one database.
    pub(crate) fn of(database: &str) -> ArchiveReader {
        ArchiveReader {
            database: database.to_owned(),
            expected: Expected::Magic,
            collections: Vec::new(),
            begun: Vec::new(),
            fault: None,
        }
    }

    /// Reads one part: how many bytes it has, 0 where it is not there whole yet.
    fn next(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let Some(beginning) = bytes.first_chunk::<4>() else { return Ok(0) };
        if self.expected == Expected::Magic {
            self.expected = Expected::Header;
            return if *beginning == MAGIC { Ok(4) } else { Err("it is no archive".to_owned()) };
        }
        if *beginning == END {
            return match self.expected {
                Expected::Listed | Expected::Document(_) | Expected::End => {
                    self.expected = Expected::Block;
                    Ok(4)
                }
                Expected::Magic | Expected::Header | Expected::Block => Err("a block without a header".to_owned()),
            };
        }
        let length =
            usize::try_from(i32::from_le_bytes(*beginning)).ok().filter(|length| (5..=LARGEST).contains(length));
        let length = length.ok_or("a document has no length that one can have")?;
        let Some(own) = bytes.get(..length) else { return Ok(0) };
        let document = Document::of(own).ok_or("a document has no end")?;
        self.take(document, own)?;
        Ok(length)
    }

    fn take(&mut self, document: Document<'_>, bytes: &[u8]) -> Result<(), String> {
        match self.expected {
            Expected::Header => {
                // Of another version is what nobody has seen yet.
                let version = document.text("version").ok_or("it does not say its version")?;
                if version != "0.1" {
                    return Err("it is an archive of a version that is not known".to_owned());
                }
                self.expected = Expected::Listed;
            }
            Expected::Listed => self.list(document)?,
            Expected::Block => self.begin(document)?,
            Expected::Document(number) => {
                let reading = self.collections.get_mut(number).ok_or("a document of no collection")?;
                reading.crc.update(bytes);
                reading.lines.end(bytes);
            }
            Expected::Magic | Expected::End => return Err("a document where a block was to end".to_owned()),
        }
        Ok(())
    }

    /// Takes what is said of a collection before all documents.
    fn list(&mut self, said: Document<'_>) -> Result<(), String> {
        let (Some(database), Some(name)) = (said.text("db"), said.text("collection")) else {
            return Err("a collection without a name".to_owned());
        };
        if database != self.database {
            return Err(format!("it holds the database `{database}`"));
        }
        let about: Json = match said.text("metadata") {
            None | Some("") => Json::Null,
            Some(text) => serde_json::from_str(text).map_err(|_| format!("what is said of `{name}` cannot be read"))?,
        };
        let options = about.get("options").cloned().unwrap_or(Json::Null);
        // Older tools say by its options alone what it is.
        let kind = match said.text("type") {
            None | Some("") if options.get("viewOn").is_some() => Kind::View,
            None | Some("") if options.get("timeseries").is_some() => Kind::TimeSeries,
            said => Kind::of(said),
        };
        let stands_under = if kind == Kind::TimeSeries { format!("{BUCKETS}{name}") } else { name.to_owned() };
        if self.collections.iter().any(|known| known.name == name) {
            return Err(format!("`{name}` is there twice"));
        }
        self.collections.push(Reading {
            name: name.to_owned(),
            stands_under,
            collection: Collection {
                kind,
                options,
                indexes: about.get("indexes").and_then(Json::as_array).cloned().unwrap_or_default(),
                documents: Digest::default(),
            },
            lines: Lines::default(),
            crc: Crc64::ecma(),
            is_complete: false,
        });
        Ok(())
    }

    /// Takes the header of a block.
    fn begin(&mut self, said: Document<'_>) -> Result<(), String> {
        let (Some(database), Some(name)) = (said.text("db"), said.text("collection")) else {
            return Err("a block of no collection".to_owned());
        };
        let known = self.collections.iter_mut().enumerate().find(|(_, one)| one.stands_under == name);
        let Some((number, reading)) = known.filter(|_| database == self.database) else {
            return Err(format!("documents of `{name}`, which is not listed"));
        };
        if reading.is_complete {
            return Err(format!("`{name}` goes on behind its end"));
        }
        if !said.is_true("EOF") {
            self.expected = Expected::Document(number);
            return Ok(());
        }
        if said.integer("CRC").map(i64::cast_unsigned) != Some(reading.crc.sum()) {
            return Err(format!("the checksum of `{name}` does not fit its documents"));
        }
        reading.is_complete = true;
        self.expected = Expected::End;
        Ok(())
    }
}

impl DumpText for ArchiveReader {
    type Held = Held;

    /// Takes the next piece. What is wrong with it shows at the end.
    fn feed(&mut self, piece: &[u8]) {
        if self.fault.is_some() {
            return;
        }
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(piece);
        let mut rest = begun.as_slice();
        loop {
            match self.next(rest) {
                Ok(0) => break,
                Ok(read) => rest = &rest[read..],
                Err(fault) => {
                    self.fault = Some(fault);
                    return;
                }
            }
        }
        let read = begun.len() - rest.len();
        begun.drain(..read);
        self.begun = begun;
    }

    fn finish(self) -> Result<Held, String> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.expected != Expected::Block || !self.begun.is_empty() {
            return Err("it is cut off".to_owned());
        }
        // Of views old tools write nothing.
        let is_missing = |one: &&Reading| !one.is_complete && one.collection.kind != Kind::View;
        if let Some(missing) = self.collections.iter().find(is_missing) {
            return Err(format!("the end of the {} `{}` is missing", missing.collection.kind.word(), missing.name));
        }
        let collections = self.collections.into_iter().map(|mut reading| {
            reading.collection.documents = reading.lines.take();
            (reading.name, reading.collection)
        });
        Ok(Held { collections: collections.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::mongodb::bson::Writing;

    fn listed(name: &str, kind: &str, about: &str) -> Vec<u8> {
        Writing::new().text("db", "shop").text("collection", name).text("metadata", about).text("type", kind).done()
    }

    fn block(name: &str, documents: &[Vec<u8>]) -> Vec<u8> {
        let header = Writing::new().text("db", "shop").text("collection", name);
        [header.bool("EOF", false).long("CRC", 0).done(), documents.concat(), END.to_vec()].concat()
    }

    fn end(name: &str, documents: &[Vec<u8>]) -> Vec<u8> {
        let mut crc = Crc64::ecma();
        documents.iter().for_each(|document| crc.update(document));
        let header = Writing::new().text("db", "shop").text("collection", name).bool("EOF", true);
        [header.long("CRC", crc.sum().cast_signed()).done(), END.to_vec()].concat()
    }

    fn document(number: i32) -> Vec<u8> {
        Writing::new().integer("_id", number).text("mail", "a@b.test").done()
    }

    fn beginning() -> Vec<u8> {
        let header = Writing::new().integer("concurrent_collections", 4).text("version", "0.1").done();
        let about = r#"{"options":{"capped":true},"indexes":[{"key":{"_id":1},"name":"_id_"}]}"#;
        [
            MAGIC.to_vec(),
            header,
            listed("orders", "collection", about),
            listed("weather", "timeseries", r#"{"options":{"timeseries":{"timeField":"at"}},"indexes":[]}"#),
            listed("open", "view", r#"{"options":{"viewOn":"orders"},"indexes":[]}"#),
            listed("shut", "", r#"{"options":{"viewOn":"orders"},"indexes":[]}"#),
            END.to_vec(),
        ]
        .concat()
    }

    /// Blocks of two collections between one another, as several are dumped at once.
    fn whole() -> Vec<u8> {
        let (one, two, three) = (document(1), document(2), document(3));
        let weather = [one.clone(), three.clone()];
        [
            beginning(),
            block("orders", std::slice::from_ref(&one)),
            block("system.buckets.weather", &weather),
            block("orders", &[two.clone(), three.clone()]),
            end("system.buckets.weather", &weather),
            end("orders", &[one, two, three]),
        ]
        .concat()
    }

    fn read(bytes: &[u8], piece: usize) -> Result<Held, String> {
        let mut reader = ArchiveReader::of("shop");
        bytes.chunks(piece.max(1)).for_each(|piece| reader.feed(piece));
        reader.finish()
    }

    #[test]
    fn an_archive_is_read_in_whatever_pieces_it_comes() {
        let whole = whole();
        let expected = read(&whole, whole.len()).unwrap();
        for piece in [1, 2, 3, 5, 17, 100] {
            assert_eq!(read(&whole, piece).unwrap(), expected, "{piece}");
        }
        let orders = &expected.collections["orders"];
        assert_eq!((orders.kind, orders.documents.rows, orders.indexes.len()), (Kind::Collection, 3, 1));
        assert_eq!(orders.options["capped"], true);
        let weather = &expected.collections["weather"];
        assert_eq!((weather.kind, weather.documents.rows), (Kind::TimeSeries, 2));
        assert_eq!(["open", "shut"].map(|name| expected.collections[name].kind), [Kind::View; 2]);
    }

    #[test]
    fn every_cut_is_found() {
        let whole = whole();
        for length in 0..whole.len() {
            assert!(read(&whole[..length], 64).is_err(), "{length}");
        }
    }

    #[test]
    fn no_flip_passes_for_something_else() {
        let whole = whole();
        let expected = read(&whole, whole.len()).unwrap();
        // What is said before all documents has no checksum: the file's own hash is over all.
        for at in beginning().len()..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            // What headers have besides names, ends and sums means nothing.
            assert!(read(&flipped, whole.len()).map_or(true, |held| held == expected), "{at}");
        }
    }

    #[test]
    fn what_no_tool_writes_is_refused_and_said_without_data() {
        let one = document(1);
        let rest = [end("orders", &[]), end("system.buckets.weather", &[])].concat();
        for (what, bytes) in [
            ("it is no archive", b"PGDMP and more".to_vec()),
            ("which is not listed", [beginning(), block("others", std::slice::from_ref(&one)), rest.clone()].concat()),
            (
                "goes on behind its end",
                [beginning(), rest.clone(), block("orders", std::slice::from_ref(&one))].concat(),
            ),
            (
                "does not fit its documents",
                [beginning(), block("orders", std::slice::from_ref(&one)), rest.clone()].concat(),
            ),
            ("is missing", [beginning(), end("orders", &[])].concat()),
            ("without a header", [beginning(), rest.clone(), END.to_vec()].concat()),
            ("no length that one can have", [beginning(), rest.clone(), vec![0; 8]].concat()),
            ("is there twice", {
                let mut bytes = beginning();
                bytes.truncate(bytes.len() - 4);
                [bytes, listed("orders", "collection", ""), END.to_vec(), rest.clone()].concat()
            }),
        ] {
            let fault = read(&bytes, 64).unwrap_err();
            assert!(fault.contains(what) && !fault.contains("a@b.test"), "{what}: {fault}");
        }
        let mut other = ArchiveReader::of("shop_live");
        other.feed(&whole());
        assert_eq!(other.finish().unwrap_err(), "it holds the database `shop`");
    }
}
