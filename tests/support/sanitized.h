// Whether the address sanitizer watches: it needs descriptors and memory itself
// (UBSan makes a pipe to find out whether an object's memory may be read), and
// time.
#ifndef TROUPE_TESTS_SUPPORT_SANITIZED_H_
#define TROUPE_TESTS_SUPPORT_SANITIZED_H_

namespace troupe {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_SANITIZED_H_
