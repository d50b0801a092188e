// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ids as they lie in memory.
//!
//! Apart because the first three parts of a `GUID` are numbers in the computer's byte order, and its text form is not.

/// `GUID` of the Windows headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct GUID {
    /// The first eight digits.
    pub data1: u32,
    /// The next four.
    pub data2: u16,
    /// The next four.
    pub data3: u16,
    /// The other sixteen, byte by byte.
    pub data4: [u8; 8],
}

impl GUID {
    /// The id whose digits, read from the left as one number, are this.
    pub fn from_number(number: u128) -> Self {
        GUID {
            data1: (number >> 96) as u32,
            data2: (number >> 80) as u16,
            data3: (number >> 64) as u16,
            data4: (number as u64).to_be_bytes(),
        }
    }

    /// Its digits, read from the left as one number.
    pub fn number(self) -> u128 {
        u128::from(self.data1) << 96
            | u128::from(self.data2) << 80
            | u128::from(self.data3) << 64
            | u128::from(u64::from_be_bytes(self.data4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{00000000-0000-0000-C000-000000000046}` is `IID_IUnknown`, in the headers `{0,0,0,{0xC0,0,0,0,0,0,0,0x46}}`, and
    /// `{00112233-4455-6677-8899-AABBCCDDEEFF}` is the example of the UUID page of Wikipedia: bytes 33 22 11 00 55 44 77 66 88 99 AA … FF on
    /// a little-endian computer.
    #[test]
    fn the_parts_are_where_the_headers_have_them() {
        let unknown = GUID::from_number(0x0000_0000_0000_0000_c000_0000_0000_0046);
        assert_eq!(unknown.data4, [0xc0, 0, 0, 0, 0, 0, 0, 0x46]);
        let number = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff;
        let guid = GUID::from_number(number);
        assert_eq!(
            (guid.data1, guid.data2, guid.data3),
            (0x0011_2233, 0x4455, 0x6677)
        );
        assert_eq!(guid.data4, [0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]);
        assert_eq!(guid.number(), number);
    }

    #[test]
    fn a_guid_has_sixteen_bytes_and_no_gap() {
        assert_eq!(size_of::<GUID>(), 16);
        assert_eq!(align_of::<GUID>(), 4);
    }
}
