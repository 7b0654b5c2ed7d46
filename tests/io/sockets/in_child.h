// What happens in a forked process, told as a text.
//
//   EXPECT_EQ(InChild([&] { return Bind(...); }), "ok");
#ifndef TROUPE_TESTS_IO_SOCKETS_IN_CHILD_H_
#define TROUPE_TESTS_IO_SOCKETS_IN_CHILD_H_

#include <functional>
#include <string>

namespace troupe {

// What `body` returned in a child that ended by _exit.
std::string InChild(const std::function<std::string()>& body);

// Gives up root's rights over files, if this process has them. For children.
void BecomeNobody();

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_IN_CHILD_H_
