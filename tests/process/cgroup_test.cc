#include "process/cgroup.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/process/grown_tree.h"
#include "tests/process/ran_child.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/seccomp_filter.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class CgroupTest : public LeakCheckedTest {
 protected:
  void SetUp() override {
    auto made = Cgroup::Make();
    if (!made.ok()) GTEST_SKIP() << made.status();
    cgroup_ = *made;
  }
  // The folder of the test is gone, too, when the last has ended. Here and
  // below the kernel takes a moment.
  void TearDown() override {
    if (cgroup_ == nullptr) return;
    EXPECT_TRUE(YieldUntil([&] { return !*cgroup_->IsPopulated(); }));
    EXPECT_TRUE(cgroup_->Remove().ok());
  }

  std::shared_ptr<Cgroup> cgroup_;
};

// Peers' row 16.
TEST_F(CgroupTest, AChildIsInItBeforeItRuns) {
  std::string path = OutputOf(
      {.argv = {"/bin/cat", "/proc/self/cgroup"}, .cgroup = cgroup_->folder()});
  EXPECT_THAT(
      path, HasSubstr(cgroup_->folder().substr(cgroup_->folder().rfind('/'))));
  EXPECT_TRUE(YieldUntil([&] { return !*cgroup_->IsPopulated(); }));
  const std::string folder = cgroup_->folder();
  cgroup_.reset();
  struct stat info;
  EXPECT_NE(stat(folder.c_str(), &info), 0);
}

// An old kernel, or a filter that knows no clone3.
TEST_F(CgroupTest, AChildEntersByItselfWhereItCannotBeBornThere) {
  for (int error : {ENOSYS, EPERM}) {
    std::string path = RunRefusing({{SYS_clone3, error}}, [&] {
      return OutputOf({.argv = {"/bin/cat", "/proc/self/cgroup"},
                       .cgroup = cgroup_->folder()});
    });
    EXPECT_THAT(
        path,
        HasSubstr(cgroup_->folder().substr(cgroup_->folder().rfind('/'))));
  }
}

TEST_F(CgroupTest, KillsAllAtOnce) {
  GrownTree tree({"member", "session", "orphan"},
                 {.cgroup = cgroup_->folder()});
  EXPECT_EQ(*cgroup_->Members(),
            tree.pids({"leader", "member", "session", "orphan"}));
  EXPECT_TRUE(*cgroup_->IsPopulated());
  EXPECT_EQ(cgroup_->Remove().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(cgroup_->Kill().ok());
  tree.AwaitEnd();
  EXPECT_TRUE(YieldUntil([&] { return !*cgroup_->IsPopulated(); }));
  EXPECT_THAT(*cgroup_->Members(), IsEmpty());
}

TEST_F(CgroupTest, FreezesAndThaws) {
  GrownTree tree({"member"}, {.cgroup = cgroup_->folder()});
  EXPECT_TRUE(cgroup_->Freeze(true).ok());
  EXPECT_TRUE(YieldUntil([&] { return *cgroup_->IsFrozen(); }));
  EXPECT_TRUE(cgroup_->Freeze(false).ok());
  EXPECT_TRUE(YieldUntil([&] { return !*cgroup_->IsFrozen(); }));
  EXPECT_TRUE(cgroup_->Freeze(true).ok());
  EXPECT_TRUE(cgroup_->Kill().ok());
  tree.AwaitEnd();
}

TEST_F(CgroupTest, TakesAProcessThatRuns) {
  GrownTree tree({});
  EXPECT_TRUE(cgroup_->Add(tree.leader().pid).ok());
  EXPECT_THAT(*cgroup_->Members(), ElementsAre(tree.leader().pid));
}

// What a child has made below belongs to it.
TEST_F(CgroupTest, CountsAndRemovesWhatIsBelow) {
  auto below = Cgroup::MakeBelow(cgroup_->folder());
  ASSERT_TRUE(below.ok()) << below.status();
  GrownTree tree({}, {.cgroup = (*below)->folder()});
  EXPECT_THAT(*cgroup_->Members(), ElementsAre(tree.leader().pid));
  EXPECT_TRUE(cgroup_->Kill().ok());
  tree.AwaitEnd();
  EXPECT_TRUE(YieldUntil([&] { return !*cgroup_->IsPopulated(); }));
}

TEST(CgroupStartTest, AChildThatCannotEnterSaysSo) {
  ScratchFolder scratch;
  auto child = Spawn({.argv = {"/bin/true"}, .cgroup = "/no/such"});
  EXPECT_EQ(child.status().message(),
            "open \"/no/such/cgroup.procs\": No such file or directory");
  // Something that opens and refuses.
  ASSERT_EQ(symlink("/dev/full", (scratch.path() + "/cgroup.procs").c_str()),
            0);
  child = Spawn({.argv = {"/bin/true"}, .cgroup = scratch.path()});
  EXPECT_THAT(std::string(child.status().message()),
              StartsWith("write \"" + scratch.path() + "/cgroup.procs\": "));
}

// A folder in which we may make folders is not enough.
TEST(CgroupMakeTest, SaysWhyNothingIsDelegated) {
  ScratchFolder scratch;
  auto made = Cgroup::MakeBelow(scratch.path());
  EXPECT_EQ(made.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(made.status().message()),
              StartsWith("no cgroup is delegated to us: open \""));
  made = Cgroup::MakeBelow("/no/such");
  EXPECT_EQ(made.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(made.status().message()),
              StartsWith("no cgroup is delegated to us: mkdir \""));
}

TEST(OwnCgroupTest, FindsItWhereItIsMounted) {
  const std::string mounts =
      "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(*OwnCgroupOf(mounts, "0::/user.slice/a.scope\n"),
            "/sys/fs/cgroup/user.slice/a.scope");
  EXPECT_EQ(*OwnCgroupOf(mounts, "9:cpu:/x\n0::/\n"), "/sys/fs/cgroup");
}

TEST(OwnCgroupTest, FindsItBelowWhatIsMounted) {
  const std::string mounts =
      "30 23 0:26 /pod /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(*OwnCgroupOf(mounts, "0::/pod\n"), "/sys/fs/cgroup");
  EXPECT_EQ(*OwnCgroupOf(mounts, "0::/pod/a\n"), "/sys/fs/cgroup/a");
  for (const char* outside : {"0::/podium\n", "0::/other\n", "0::/../up\n"}) {
    EXPECT_EQ(OwnCgroupOf(mounts, outside).status().code(),
              absl::StatusCode::kFailedPrecondition);
  }
}

TEST(OwnCgroupTest, SaysThatThereIsNone) {
  EXPECT_EQ(
      OwnCgroupOf("30 23 0:26 / /sys rw - cgroup cgroup rw\n", "4:memory:/\n")
          .status(),
      absl::UnimplementedError("cgroup v2 is not mounted"));
}

}  // namespace
}  // namespace troupe
