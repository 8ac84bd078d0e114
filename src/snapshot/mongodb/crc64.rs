//! The checksum that archives have of each collection: CRC-64 with the polynomial of ECMA-182, reflected.
//!
//! Source: Go's `hash/crc64`, with which the tools compute it.

/// The polynomial, its lowest bit the highest power.
const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;

/// For each of eight bytes at once, what it makes of the sum.
static TABLES: [[u64; 256]; 8] = tables();

const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
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
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crc64(u64);

impl Crc64 {
    /// Takes in more bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let mut sum = !self.0;
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            let mixed = (sum ^ u64::from_le_bytes(*eight)).to_le_bytes();
            sum = 0;
            for (at, byte) in mixed.iter().enumerate() {
                sum ^= TABLES[7 - at][usize::from(*byte)];
            }
        }
        for byte in rest {
            sum = TABLES[0][usize::from((sum as u8) ^ byte)] ^ (sum >> 8);
        }
        self.0 = !sum;
    }

    pub(crate) fn sum(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], piece: usize) -> u64 {
        let mut crc = Crc64::default();
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
        let long: Vec<u8> = (0..1000_u32).map(|number| (number * 7) as u8).collect();
        for piece in [1, 7, 8, 9, 64] {
            assert_eq!(of(&long, piece), of(&long, 1000));
        }
    }
}
