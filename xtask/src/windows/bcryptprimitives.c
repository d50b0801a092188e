// SPDX-License-Identifier: MIT OR Apache-2.0
// Stands in for bcryptprimitives.dll in a Wine prefix: Wine 8 has none, and the standard libraries of Rust and Go import its one
// function. RtlGenRandom, which advapi32 exports as SystemFunction036, fills at most 4 GiB at once and is asked for less.

#include <stddef.h>

__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *buffer, unsigned long length);

__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *data, size_t length) {
    while (length > 0) {
        unsigned long part = length > 0x40000000 ? 0x40000000 : (unsigned long)length;
        if (!SystemFunction036(data, part)) {
            return 0;
        }
        data += part;
        length -= part;
    }
    return 1;
}
