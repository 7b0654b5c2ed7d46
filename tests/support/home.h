// Where the protocol of a test lives: on a worker, or on the I/O thread. Most
// promises hold for both.
//
//   INSTANTIATE_TEST_SUITE_P(Homes, SomeTest, EveryHome(), NameOfHome);
#ifndef TROUPE_TESTS_SUPPORT_HOME_H_
#define TROUPE_TESTS_SUPPORT_HOME_H_

#include <string>

#include "gtest/gtest.h"

namespace troupe {

enum class Home { kWorker, kResident };

inline auto EveryHome() {
  return ::testing::Values(Home::kWorker, Home::kResident);
}

inline std::string NameOfHome(const ::testing::TestParamInfo<Home>& info) {
  return info.param == Home::kWorker ? "Worker" : "Resident";
}

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_HOME_H_
