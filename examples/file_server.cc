// Shows: files that the kernel sends, in their place between written headers.
// Run:   ./bazelw run //examples:file_server -- /tmp/files.sock /usr/share/doc
//        curl --unix-socket /tmp/files.sock http://localhost/bash/copyright
// See:   the file, or 404: for all outside of the folder, by links, too.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/framing/separator_framer.h"
#include "io/resident.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"

namespace {
struct Client {
  void Answer(const troupe::Frame& head) {
    const std::vector<std::string> words =
        absl::StrSplit(head.bytes.view(), absl::ByAnyChar(" \r"));
    if (head.kind != troupe::Frame::Kind::kComplete || words.size() < 3 ||
        words[1][0] != '/' || words[2].rfind("HTTP/1.", 0) != 0) {
      return Refuse("400 Bad Request");
    }
    if (words[0] != "GET") return Refuse("405 Method Not Allowed");
    if (unsent == 16) return Refuse("429 Too Many Requests");
    open_how how = {O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, RESOLVE_BENEATH};
    troupe::FdTicket file(troupe::OwnedFd(
        syscall(SYS_openat2, root, words[1].c_str() + 1, &how, sizeof how)));
    struct stat status = {};
    if (fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
      return Say("404 Not Found\r\nContent-Length: 0\r\n");
    }
    Say(absl::StrCat("200 OK\r\nContent-Length: ", status.st_size, "\r\n"));
    if (status.st_size == 0) return;
    ++unsent;
    self->request(stream, caf::infinite,
                  troupe::SendFile{file, 0, status.st_size})
        .then([=, this](const troupe::FileSent& sent) {
          --unsent;
          if (sent.bytes < uint64_t(status.st_size)) Close();  // it shrank
        });  // an error ends us, and with us the connection
  }
  void Refuse(const std::string& status) {  // a body is not understood
    Say(status +
        "\r\nAllow: GET\r\nContent-Length: 0\r\nConnection: close\r\n");
    Close();
  }
  void Close() { caf::anon_send(stream, troupe::CloseTransport{}); }
  void Say(const std::string& head) {
    const troupe::Bytes text(absl::StrCat("HTTP/1.1 ", head, "\r\n"));
    caf::anon_send(stream, troupe::Write{text, {}});
  }
  troupe::StreamProtocol::pointer self;
  troupe::StreamTransport stream;
  int root;
  troupe::SeparatorFramer requests = *troupe::SeparatorFramer::Create(
      {.separator = "\r\n\r\n", .limit = 8192});
  int unsent = 0;  // files
};

troupe::StreamProtocol::behavior_type Serve(
    troupe::Resident<troupe::StreamProtocol::base>* self,
    const troupe::StreamTransport& stream, int root) {
  auto client = std::make_shared<Client>(Client{self, stream, root});
  return {
      [=](troupe::DataReceived& data) {
        while (auto head = client->requests.Next(data.bytes)) {
          client->Answer(*head);
        }
      },
      [](const troupe::ConnectionMade&) {},
      [](const troupe::EofReceived&) {},
      [](const troupe::PauseWriting&) {},
      [](const troupe::ResumeWriting&) {},
      [=](const troupe::ConnectionLost&) { self->quit(); },
  };
}

}  // namespace

int main(int argc, char** argv) {
  const int root = argc == 3 ? open(argv[2], O_PATH | O_CLOEXEC) : -1;
  if (root < 0) {
    std::cerr << "usage: file_server PATH FOLDER\n";
    return 2;
  }
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  auto listener = troupe::UnixListener::Bind({.path = argv[1]});
  if (!system.ok()) listener = system.status();
  if (!listener.ok()) {
    std::cerr << "file_server: " << listener.status().message() << '\n';
    return 1;
  }
  troupe::IoThread& io = (*system)->io();
  troupe::UnixServerOptions options;
  options.new_protocol = [&](const troupe::StreamTransport& stream) {
    return troupe::SpawnResident<caf::hidden>(io.host(), Serve, stream, root);
  };
  caf::anon_send(troupe::SpawnUnixServer(io.host(), io.actor(),
                                         *std::move(listener), options),
                 troupe::StartServing{});
  return (*system)->WaitForStop().ok() ? 0 : 1;
}
