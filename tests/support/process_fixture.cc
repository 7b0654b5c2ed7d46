#include "tests/support/process_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "process/pidfd_watcher.h"
#include "process/proc_reader.h"
#include "process/spawner.h"
#include "tests/support/leak_check.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

struct Notes {
  std::shared_ptr<Trace> trace;
  std::shared_ptr<Received> got;
  ObserverScript script;
};

std::string Describe(const StreamClosed& closed) {
  std::string text = absl::StrCat("PCL ", static_cast<int>(closed.stream));
  if (!closed.why.ok()) {
    absl::StrAppend(&text, " (", closed.why.message(), ")");
  }
  return text;
}

ProcessObserver::behavior_type Observer(ProcessObserver::pointer, Notes notes) {
  return {
      [=](const ProcessStarted&) { notes.trace->Add("CM"); },
      [=](ProcessOutput& output) {
        notes.got->Add(output, notes.script.note_output);
        if (notes.script.note_output) {
          notes.trace->Add(
              absl::StrCat("DATA ", static_cast<int>(output.stream), " '",
                           absl::CEscape(output.bytes.view()), "'"));
        }
        if (notes.script.output) notes.script.output(output);
      },
      [=](const StreamClosed& closed) { notes.trace->Add(Describe(closed)); },
      [=](const ProcessExited& exited) { notes.trace->Add(Describe(exited)); },
      [=](const ProcessEnded&) { notes.trace->Add("CL"); },
      [=](const PauseWriting&) { notes.trace->Add("PAUSE"); },
      [=](const ResumeWriting&) { notes.trace->Add("RESUME"); },
  };
}

}  // namespace

void Received::Add(const ProcessOutput& output, bool keep) {
  std::lock_guard<std::mutex> lock(mutex_);
  int stream = static_cast<int>(output.stream);
  size_[stream] += output.bytes.size();
  if (keep) text_[stream].append(output.bytes.data(), output.bytes.size());
}

std::string Received::Text(ProcessStream stream) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return text_[static_cast<int>(stream)];
}

size_t Received::Size(ProcessStream stream) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return size_[static_cast<int>(stream)];
}

std::string Describe(const ProcessExited& exited) {
  return absl::StrCat("EXIT ", exited.report.status.ReturnCode());
}

ProcessTest::ProcessTest() {
  auto thread = IoThread::Start(*system_, {.name = "troupe.spawner"});
  EXPECT_TRUE(thread.ok()) << thread.status();
  spawner_thread_ = *std::move(thread);
  spawner_ = SpawnSpawner(spawner_thread_->host());
  watcher_ = SpawnPidfdWatcher(host(), io());
  proc_reader_ = SpawnProcReader(*system_);
}

ProcessTest::~ProcessTest() { StopAll(); }

void ProcessTest::StopIo() {
  if (io_ != nullptr) io_->Stop();
}

void ProcessTest::StopAll() {
  StopIo();
  proc_reader_ = ProcReader();
  watcher_ = ChildWatcher();
  spawner_ = Spawner();
  if (spawner_thread_ != nullptr) spawner_thread_->Stop();
  spawner_thread_.reset();
}

ProcessServices ProcessTest::services() const {
  return {.host = &io_->host(),
          .io = io_->actor(),
          .spawner = spawner_,
          .watcher = watcher_,
          .proc_reader = proc_reader_};
}

ProcessObserver ProcessTest::NewObserver(ObserverScript script) {
  return system_->spawn<caf::hidden>(Observer,
                                     Notes{trace_, got_, std::move(script)});
}

StartProcess ProcessTest::Piped(std::vector<std::string> argv) {
  StartProcess start;
  start.command.argv = std::move(argv);
  start.command.stdin_from = Stdio::Pipe();
  start.command.stdout_to = Stdio::Pipe();
  start.command.stderr_to = Stdio::Pipe();
  return start;
}

StartProcess ProcessTest::Quiet(std::vector<std::string> argv) {
  StartProcess start;
  start.command.argv = std::move(argv);
  start.command.stdin_from = Stdio::Null();
  start.command.stdout_to = Stdio::Null();
  start.command.stderr_to = Stdio::Null();
  return start;
}

StartProcess ProcessTest::InGroup(StartProcess start) {
  start.command.group = ProcessGroup::kNewGroup;
  return start;
}

std::string ProcessTest::Start(const Subprocess& child, StartProcess request) {
  if (!request.observer) request.observer = NewObserver();
  auto started = Ask<ProcessStarted>(child, std::move(request));
  if (!started.ok()) return std::string(started.status().message());
  pid_ = started->pid;
  return "";
}

bool ProcessTest::IsGone(pid_t pid) {
  return kill(pid, 0) != 0 && errno == ESRCH;
}

bool ProcessTest::WaitUntilGone(pid_t pid) {
  WaitUntilDead(pid);
  if (YieldUntil([&] { return IsGone(pid); })) return true;
  ADD_FAILURE() << "process " << pid << " is still there: " << StateOf(pid);
  return false;
}

char ProcessTest::StateOf(pid_t pid) {
  std::ifstream in(absl::StrCat("/proc/", pid, "/stat"));
  std::string line;
  std::getline(in, line);
  size_t close = line.rfind(')');
  return close == std::string::npos ? '-' : line[close + 2];
}

bool ProcessTest::IsDead(pid_t pid) {
  const char state = StateOf(pid);
  return state == '-' || state == 'Z' || state == 'X';
}

void ProcessTest::WaitUntilDead(pid_t pid) {
  OwnedFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) {
    EXPECT_EQ(errno, ESRCH) << "pidfd_open " << pid;
    return;
  }
  const std::chrono::milliseconds patience = kPatience;
  pollfd end = {pidfd.get(), POLLIN, 0};
  EXPECT_EQ(poll(&end, 1, static_cast<int>(patience.count())), 1)
      << "process " << pid << " still runs: " << StateOf(pid);
}

void ProcessTest::WaitForNoChildren() {
  // One that is started meanwhile is waited for, too.
  EXPECT_TRUE(YieldUntil([] {
    for (const std::string& child : Children()) {
      int pid = -1;
      EXPECT_TRUE(absl::SimpleAtoi(child.substr(0, child.find(' ')), &pid));
      WaitUntilDead(pid);
    }
    return Children().empty();
  })) << ::testing::PrintToString(Children());
}

void ProcessTest::SpinFor(std::chrono::steady_clock::duration time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

void ProcessTest::Freeze(const Subprocess& child) {
  ASSERT_TRUE(Do(child, SendSignal{SIGSTOP}).ok());
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, pid_, &info, WSTOPPED | WNOWAIT), 0);
}

pid_t ProcessTest::PrintedPid() {
  trace_->WaitUntil([&](const std::vector<std::string>&) {
    return absl::StrContains(Out(), "\n");
  });
  const std::string out = Out();
  int pid = -1;
  EXPECT_TRUE(absl::SimpleAtoi(out.substr(0, out.find('\n')), &pid)) << out;
  return pid;
}

}  // namespace troupe
