#include "process/process_info.h"

#include "gtest/gtest.h"
#include "process/child_stdio.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class ProcessInfoTest : public LeakCheckedTest {
 protected:
  static TransportInfo Reading(int fd) {
    TransportInfo info;
    info.fd = fd;
    info.reading.polling = true;
    return info;
  }
};

// Row P25.
TEST_F(ProcessInfoTest, WritesAProcessAsAsyncioDoes) {
  ProcessInfo info;
  EXPECT_EQ(ToString(info), "<Subprocess not started>");
  info.phase = ProcessInfo::Phase::kRunning;
  info.pid = 7;
  EXPECT_EQ(ToString(info), "<Subprocess pid=7 running>");
  info.in = TransportInfo{};
  info.in->kind = TransportInfo::Kind::kWrite;
  info.in->fd = 4;
  info.out = Reading(5);
  info.err = Reading(6);
  EXPECT_EQ(ToString(info),
            "<Subprocess pid=7 running "
            "stdin=<WriteTransport fd=4 idle bufsize=0> "
            "stdout=<ReadTransport fd=5 polling> "
            "stderr=<ReadTransport fd=6 polling>>");
  info.phase = ProcessInfo::Phase::kExited;
  info.status = ExitStatus::Killed(9);
  info.in.reset();
  info.err.reset();
  info.merged = true;
  EXPECT_EQ(ToString(info),
            "<Subprocess pid=7 returncode=-9 "
            "stdout=stderr=<ReadTransport fd=5 polling>>");
  info.ended = true;
  EXPECT_EQ(ToString(info), "<Subprocess closed pid=7 returncode=-9>");
}

// Row P26.
TEST_F(ProcessInfoTest, SaysWhatIsExecutedAndWhereItsStreamsLead) {
  Command command{.argv = {"sort", "-u"}};
  EXPECT_EQ(ExecuteText(command), "execute program \"sort\"");
  command.stdin_from = Stdio::File("a\nb", Stdio::FileMode::kRead);
  command.stdout_to = Stdio::Pipe();
  command.stderr_to = Stdio::Null();
  EXPECT_EQ(ExecuteText(command),
            "execute program \"sort\" stdin=\"a\\nb\" stdout=<pipe> "
            "stderr=<null>");
  command.stdin_from = Stdio::Descriptor(3);
  command.stderr_to = Stdio::Merged();
  EXPECT_EQ(ExecuteText(command),
            "execute program \"sort\" stdin=3 stdout=stderr=<pipe>");
}

}  // namespace
}  // namespace troupe
