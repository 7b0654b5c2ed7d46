// Descriptors to test with, and what can be asked of them.
#ifndef TROUPE_TESTS_SUPPORT_DESCRIPTORS_H_
#define TROUPE_TESTS_SUPPORT_DESCRIPTORS_H_

#include <string>
#include <utility>

#include "io/owned_fd.h"

namespace troupe {

using Ends = std::pair<OwnedFd, OwnedFd>;

Ends MakePipe();                    // read end, write end
Ends MakeTerminal();                // slave (raw), master
Ends MakeSocketPair(int type = 1);  // SOCK_STREAM

// A file without a name that holds `content`; its offset is 0.
OwnedFd MakeFile(const std::string& content, int flags);
std::string ContentOf(const OwnedFd& file);

void SetNonBlocking(const OwnedFd& fd);
bool IsNonBlocking(const OwnedFd& fd);
bool IsOpen(int fd);

// Blocking: all of `text`; exactly `size` bytes or what came before the end.
void WriteFully(const OwnedFd& fd, const std::string& text);
std::string ReadFully(const OwnedFd& fd, size_t size);

// Returns when nobody is at the other end any more; fails the test otherwise.
void WaitForHangUp(const OwnedFd& fd);

// Fills a pipe or socket until it takes no more; how much it took.
size_t Fill(const OwnedFd& fd);

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_DESCRIPTORS_H_
