#include "io/descriptor_kind.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "gtest/gtest.h"
#include "io/os_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using DescriptorKindTest = LeakCheckedTest;

DescriptorKind Of(const OwnedFd& fd) {
  auto kind = KindOf(fd.get());
  EXPECT_TRUE(kind.ok()) << kind.status();
  return kind.value_or(DescriptorKind::kOther);
}

TEST_F(DescriptorKindTest, TellsThemApart) {
  EXPECT_EQ(Of(MakePipe().first), DescriptorKind::kFifo);
  EXPECT_EQ(Of(MakeSocketPair(SOCK_STREAM).first),
            DescriptorKind::kStreamSocket);
  EXPECT_EQ(Of(MakeSocketPair(SOCK_DGRAM).first),
            DescriptorKind::kMessageSocket);
  EXPECT_EQ(Of(MakeSocketPair(SOCK_SEQPACKET).first),
            DescriptorKind::kMessageSocket);
  EXPECT_EQ(Of(MakeTerminal().first), DescriptorKind::kCharacterDevice);
  EXPECT_EQ(Of(OwnedFd(open("/dev/null", O_RDWR | O_CLOEXEC))),
            DescriptorKind::kCharacterDevice);
  EXPECT_EQ(Of(MakeFile("", O_RDONLY)), DescriptorKind::kRegularFile);
  EXPECT_EQ(Of(OwnedFd(open("/", O_RDONLY | O_CLOEXEC))),
            DescriptorKind::kOther);
  EXPECT_EQ(Of(OwnedFd(eventfd(0, EFD_CLOEXEC))), DescriptorKind::kOther);
}

// Rows R1 and W1.
TEST_F(DescriptorKindTest, TakesFifosSocketsAndCharacterDevicesForPipes) {
  EXPECT_TRUE(IsPipeLike(DescriptorKind::kFifo));
  EXPECT_TRUE(IsPipeLike(DescriptorKind::kStreamSocket));
  EXPECT_TRUE(IsPipeLike(DescriptorKind::kMessageSocket));
  EXPECT_TRUE(IsPipeLike(DescriptorKind::kCharacterDevice));
  EXPECT_FALSE(IsPipeLike(DescriptorKind::kRegularFile));
  EXPECT_FALSE(IsPipeLike(DescriptorKind::kOther));
}

TEST_F(DescriptorKindTest, TrustsAShortReadOfPipesAndStreamSocketsOnly) {
  EXPECT_TRUE(ShortReadMeansDrained(DescriptorKind::kFifo));
  EXPECT_TRUE(ShortReadMeansDrained(DescriptorKind::kStreamSocket));
  EXPECT_FALSE(ShortReadMeansDrained(DescriptorKind::kMessageSocket));
  EXPECT_FALSE(ShortReadMeansDrained(DescriptorKind::kCharacterDevice));
}

TEST_F(DescriptorKindTest, RefusesWhatIsNoDescriptor) {
  EXPECT_EQ(KindOf(-1).status().message(), "Invalid file descriptor: -1");
  EXPECT_EQ(OsFailureOf(KindOf(1 << 20).status()).value().error_number, EBADF);
}

}  // namespace
}  // namespace troupe
