//! The checksums that dumps carry themselves: CRC-64 by two polynomials.

/// For each of eight bytes at once, what it makes of the sum.
type Tables = [[u64; 256]; 8];

/// ECMA-182's, reflected: what MongoDB's archives have of each collection.
///
/// Source: Go's `hash/crc64`, with which the tools compute it.
static ECMA: Tables = tables(0xc96c_5795_d787_0f42);

/// Jones's, reflected: what the files of Redis and Valkey end with.
///
/// Source: Redis, `src/crc64.c`.
static JONES: Tables = tables(0x95ac_9329_ac4b_c9b5);

/// Makes the tables of a polynomial, its lowest bit the highest power.
const fn tables(polynomial: u64) -> Tables {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ polynomial } else { sum >> 1 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut byte = 0;
    while byte < 256 {
        let mut at = 1;
        while at < 8 {
            let before = tables[at - 1][byte];
            tables[at][byte] = tables[0][(before & 0xff) as usize] ^ (before >> 8);
            at += 1;
        }
        byte += 1;
    }
    tables
}

/// A sum that is being computed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crc64 {
    sum: u64,
    tables: &'static Tables,
    /// What the sum is combined with before the first byte and after the last.
    inversion: u64,
}

impl Crc64 {
    /// Begins one as MongoDB's archives have it.
    pub(crate) fn ecma() -> Crc64 {
        Crc64 { sum: 0, tables: &ECMA, inversion: u64::MAX }
    }

    /// Begins one as the files of Redis have it.
    pub(crate) fn jones() -> Crc64 {
        Crc64 { sum: 0, tables: &JONES, inversion: 0 }
    }

    /// Takes in more bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let tables = self.tables;
        let mut sum = self.sum ^ self.inversion;
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            let mixed = (sum ^ u64::from_le_bytes(*eight)).to_le_bytes();
            sum = 0;
            for (at, byte) in mixed.iter().enumerate() {
                sum ^= tables[7 - at][usize::from(*byte)];
            }
        }
        for byte in rest {
            sum = tables[0][usize::from((sum as u8) ^ byte)] ^ (sum >> 8);
        }
        self.sum = sum ^ self.inversion;
    }

    pub(crate) fn sum(self) -> u64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], piece: usize) -> u64 {
        summed(Crc64::ecma(), bytes, piece)
    }

    fn summed(mut crc: Crc64, bytes: &[u8], piece: usize) -> u64 {
        bytes.chunks(piece).for_each(|piece| crc.update(piece));
        crc.sum()
    }

    #[test]
    fn the_sums_are_the_known_ones_however_the_bytes_come() {
        // The check value of CRC-64/XZ, and what Go's `hash/crc64` says.
        for (text, expected) in [
            ("123456789", 0x995d_c9bb_df19_39fa),
            ("", 0),
            ("a", 0x3302_8477_2e65_2b05),
            ("This is a test of the emergency broadcast system.", 0x27db_187f_c15b_bc72),
        ] {
            for piece in [1, 2, 3, 8, 100] {
                assert_eq!(of(text.as_bytes(), piece), expected, "{text}");
            }
        }
        // The check value in Redis's own test.
        assert_eq!(summed(Crc64::jones(), b"123456789", 2), 0xe9c6_d914_c4b8_d9ca);
        let long: Vec<u8> = (0..1000_u32).map(|number| (number * 7) as u8).collect();
        for piece in [1, 7, 8, 9, 64] {
            assert_eq!(of(&long, piece), of(&long, 1000));
        }
    }
}
