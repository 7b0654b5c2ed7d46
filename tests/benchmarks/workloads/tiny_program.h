// A copy of `tiny` where every user may run it.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_TINY_PROGRAM_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_TINY_PROGRAM_H_

#include <filesystem>
#include <string>

#include "tests/support/scratch_folder.h"

namespace troupe {

class TinyProgram {
 public:
  // It lies beside this program.
  TinyProgram() {
    namespace fs = std::filesystem;
    fs::permissions(folder_.path(), fs::perms::owner_all |
                                        fs::perms::others_exec |
                                        fs::perms::group_exec);
    fs::copy_file(fs::read_symlink("/proc/self/exe").replace_filename("tiny"),
                  path());
  }

  std::string path() const { return folder_.PathOf("tiny"); }

 private:
  ScratchFolder folder_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_TINY_PROGRAM_H_
