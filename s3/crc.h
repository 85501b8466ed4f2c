#pragma once

#include <cstdint>

#include "base/sink.h"

/// The reflected CRCs that S3 knows, and how the CRCs of the parts of an object become that of the whole.
///
/// For all of them `before` is the CRC of the bytes in front, so that crc(b, crc(a)) is the CRC of a and b
/// together, and combined(crc(a), crc(b), size of b) is too.
namespace s3 {

/// CRC-64/NVME: polynomial 0xAD93D23594C93659, reflected, all ones before and after; check value
/// 0xAE8B14860A799888 for "123456789". About 10 GB/s where the CPU multiplies without carry.
uint64_t crc64nvme(base::Bytes bytes, uint64_t before = 0);
/// The same without that instruction; the reference of the tests, and what other CPUs use.
uint64_t crc64nvme_by_table(base::Bytes bytes, uint64_t before = 0);
/// CRC-32 as zlib, gzip and PNG have it; check value 0xCBF43926. (base::crc32c is the other one of S3.)
uint32_t crc32(base::Bytes bytes, uint32_t before = 0);

uint64_t combined_crc64nvme(uint64_t first, uint64_t second, uint64_t second_size);
uint32_t combined_crc32c(uint32_t first, uint32_t second, uint64_t second_size);
uint32_t combined_crc32(uint32_t first, uint32_t second, uint64_t second_size);

}  // namespace s3
