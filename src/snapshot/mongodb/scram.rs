//! Proves to a server that a password is known, without saying it, and lets the server prove the same: SCRAM-SHA-256.
//!
//! Source: RFC 5802, RFC 7677; MongoDB specifications, "Authentication".

use std::hash::{BuildHasher, RandomState};

use sha2::{Digest, Sha256};

use crate::secret::Secret;
use crate::text::hex;

/// The fewest rounds that an honest server asks for, and the most that are computed for any.
///
/// Source: MongoDB specifications, "Authentication" ("the client MUST … a minimum of 4096").
const ROUNDS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;

/// A conversation.
pub(crate) struct Scram {
    password: Secret,
    nonce: String,
    /// What was said first, without its beginning.
    bare: String,
    /// What the server has to say at the end.
    due: Option<String>,
}

impl Scram {
    /// Begins one, and gives what is to be said first.
    pub(crate) fn begin(user: &str, password: &Secret) -> (Scram, String) {
        // Each state has keys of its own, from the system's source of chance.
        let chance = || RandomState::new().hash_one(std::process::id()).to_le_bytes();
        Scram::with_nonce(user, password, &hex([chance(), chance(), chance()].concat()))
    }

    fn with_nonce(user: &str, password: &Secret, nonce: &str) -> (Scram, String) {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={user},r={nonce}");
        let first = format!("n,,{bare}");
        (Scram { password: password.clone(), nonce: nonce.to_owned(), bare, due: None }, first)
    }

    /// Answers what the server said first; `None` where no honest one says that.
    pub(crate) fn answer(&mut self, said: &str) -> Option<String> {
        let part = |name: &str| said.split(',').find_map(|part| part.strip_prefix(name));
        let (nonce, salt) = (part("r=")?, decoded(part("s=")?)?);
        let rounds: u32 = part("i=")?.parse().ok().filter(|rounds| ROUNDS.contains(rounds))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return None;
        }
        let salted = salted(self.password.expose().as_bytes(), &salt, rounds);
        let client_key = mac(&salted, &[b"Client Key"]);
        let without_proof = format!("c=biws,r={nonce}");
        let all = format!("{},{said},{without_proof}", self.bare);
        let signature = mac(&Sha256::digest(client_key), &[all.as_bytes()]);
        let mut proof = client_key;
        proof.iter_mut().zip(signature).for_each(|(own, other)| *own ^= other);
        let server_key = mac(&salted, &[b"Server Key"]);
        self.due = Some(format!("v={}", encoded(&mac(&server_key, &[all.as_bytes()]))));
        Some(format!("{without_proof},p={}", encoded(&proof)))
    }

    /// Tells whether what the server said last proves that it knows the password, too.
    pub(crate) fn is_proved_by(&self, said: &str) -> bool {
        self.due.as_deref().is_some_and(|due| said == due)
    }
}

/// HMAC-SHA-256 of the parts, one behind the other (RFC 2104).
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new();
    inner.update(block.map(|byte| byte ^ 0x36));
    parts.iter().for_each(|part| inner.update(part));
    let mut outer = Sha256::new();
    outer.update(block.map(|byte| byte ^ 0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

/// PBKDF2 with HMAC-SHA-256, one block of it (RFC 8018).
fn salted(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let mut last = mac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = last;
    for _ in 1..rounds {
        last = mac(password, &[&last]);
        sum.iter_mut().zip(last).for_each(|(own, other)| *own ^= other);
    }
    sum
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encoded(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number =
            three.iter().enumerate().fold(0_u32, |number, (at, byte)| number | u32::from(*byte) << (16 - 8 * at));
        for digit in 0..4 {
            let is_there = digit <= three.len();
            let index = (number >> (18 - 6 * digit)) as usize & 63;
            text.push(if is_there { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut number, mut bits) = (0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        number = number << 6 | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((number >> bits) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    #[test]
    fn the_example_of_the_standard_is_computed() {
        let (mut scram, first) = Scram::with_nonce("user", &Secret::new("pencil"), "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(first, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let said = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(
            scram.answer(said).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(scram.is_proved_by("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!scram.is_proved_by("v=") && !scram.is_proved_by(""));
    }

    #[test]
    fn a_server_that_is_not_honest_gets_no_answer() {
        let nonce = "rOprNGfwEbeRWgbNEkqO";
        for said in [
            "r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999",
            "r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096",
            "e=other-error",
            "",
        ] {
            let (mut scram, _) = Scram::with_nonce("user", &Secret::new("pencil"), nonce);
            assert_eq!(scram.answer(said), None, "{said}");
        }
        let (scram, first) = Scram::begin("a=b,c", &Secret::new("x"));
        assert!(first.starts_with("n,,n=a=3Db=2Cc,r=") && scram.nonce.len() == 48);
    }

    #[test]
    fn sixty_four_digits_lose_nothing() {
        for length in 0..20 {
            let bytes: Vec<u8> = (0..length).map(|number: u8| number.wrapping_mul(37) + 5).collect();
            assert_eq!(decoded(&encoded(&bytes)), Some(bytes));
        }
        assert_eq!(encoded(b"ab"), "YWI=");
    }
}
