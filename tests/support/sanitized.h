// Whether this is a build with a sanitizer, for what a test does less of, or
// cannot do, there.
//
//   constexpr size_t kChildren = kSanitized ? 1000 : 5000;
#ifndef TROUPE_TESTS_SUPPORT_SANITIZED_H_
#define TROUPE_TESTS_SUPPORT_SANITIZED_H_

namespace troupe {

#if defined(__SANITIZE_ADDRESS__)  // g++
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_SANITIZED_H_
