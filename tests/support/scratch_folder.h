// A new folder under /tmp for the files of one test, removed with all in it.
#ifndef TROUPE_TESTS_SUPPORT_SCRATCH_FOLDER_H_
#define TROUPE_TESTS_SUPPORT_SCRATCH_FOLDER_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace troupe {

class ScratchFolder {
 public:
  ScratchFolder() {
    char name[] = "/tmp/troupe-XXXXXX";
    path_ = mkdtemp(name);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  // Somebody who ends at the same time may take his own files away.
  ~ScratchFolder() {
    std::error_code why;
    do {
      std::filesystem::remove_all(path_, why);
    } while (why == std::errc::no_such_file_or_directory);
  }

  const std::string& path() const { return path_; }
  std::string PathOf(const std::string& name) const {
    return path_ + "/" + name;
  }

  // The path of the written file.
  std::string Write(const std::string& name, const std::string& text) const {
    std::string file = PathOf(name);
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

 private:
  std::string path_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_SCRATCH_FOLDER_H_
