// A Command on its way to another node (caf/io): the spawner over there runs
// it.
//
//   AddCommandMessage(config);                    // on both nodes
//   self->send(builder_over_there, command);
//
// What it names is the other machine's: paths, ids, processors, limits, the
// environment it inherits, its standard streams.
//
// A descriptor stays here, so a command with one does not go: serializing fails
// with InvalidArgument, `stdin: a descriptor cannot go to another node`, and
// CAF sends an empty message, which a request is told as UNIMPLEMENTED. Whoever
// may have such a command asks CanLeaveNode before. What arrives is checked for
// values that no command has; run Validate for the rest, as Spawn does.
#ifndef TROUPE_PROCESS_COMMAND_MESSAGE_H_
#define TROUPE_PROCESS_COMMAND_MESSAGE_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "caf/actor_system_config.hpp"
#include "caf/error.hpp"
#include "caf/meta/load_callback.hpp"
#include "caf/meta/save_callback.hpp"
#include "caf/meta/type_name.hpp"
#include "io/status_error.h"
#include "process/command.h"

namespace troupe {

void AddCommandMessage(caf::actor_system_config& config);

absl::Status CanLeaveNode(const Command& command);

// Whether enumerations have one of their values.
absl::Status CheckArrived(const Command& command);

// What follows is CAF's: the parts of a command. Each takes its value apart by
// its number of fields, so that a new field does not build before it is listed.

// CAF 0.17.6 does not know std::optional.
template <class T>
struct OptionalField {
  std::optional<T>* field;
};

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, OptionalField<T>& x) {
  bool has_value = x.field->has_value();
  T value = x.field->value_or(T());
  auto store = [&]() -> caf::error {
    *x.field = has_value ? std::optional<T>(std::move(value)) : std::nullopt;
    return caf::none;
  };
  return f(has_value, value, caf::meta::load_callback(store));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Environment& x) {
  auto& [inherit, set, unset] = x;
  return f(caf::meta::type_name("Environment"), inherit, set, unset);
}

// The descriptors are left out: CanLeaveNode has refused them.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Stdio& x) {
  auto& [kind, path, file_mode, permissions, fd, shared_fd] = x;
  (void)fd, (void)shared_fd;
  return f(caf::meta::type_name("Stdio"), kind, path, file_mode, permissions);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, TerminalSetup& x) {
  auto& [rows, columns, echo, raw] = x;
  return f(caf::meta::type_name("TerminalSetup"), rows, columns, echo, raw);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ResourceLimit& x) {
  auto& [resource, soft, hard] = x;
  return f(caf::meta::type_name("ResourceLimit"), resource, soft, hard);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Scheduling& x) {
  auto& [nice_value, cpus, score] = x;
  OptionalField<int> nice{&nice_value}, oom_score_adj{&score};
  return f(caf::meta::type_name("Scheduling"), nice, cpus, oom_score_adj);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, SignalSetup& x) {
  auto& [blocked, dispositions, ignored_to_default] = x;
  return f(caf::meta::type_name("SignalSetup"), blocked, dispositions,
           ignored_to_default);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Command& x) {
  auto& [argv, program_, environment, cwd_, stdin_from, stdout_to, stderr_to,
         extra_fds, group, join_group_, controlling_terminal, terminal, umask_,
         limits, scheduling, uid_, gid_, groups_, parent_death_signal_, signals,
         cgroup_] = x;
  (void)extra_fds;  // CanLeaveNode has refused them
  OptionalField<std::string> program{&program_}, cwd{&cwd_};
  OptionalField<pid_t> join_group{&join_group_};
  OptionalField<mode_t> umask{&umask_};
  OptionalField<uid_t> uid{&uid_};
  OptionalField<gid_t> gid{&gid_};
  OptionalField<std::vector<gid_t>> groups{&groups_};
  OptionalField<int> parent_death_signal{&parent_death_signal_};
  OptionalField<std::string> cgroup{&cgroup_};
  auto leave = [&] { return MakeError(CanLeaveNode(x)); };
  auto arrive = [&] { return MakeError(CheckArrived(x)); };
  return f(caf::meta::type_name("Command"), caf::meta::save_callback(leave),
           argv, program, environment, cwd, stdin_from, stdout_to, stderr_to,
           group, join_group, controlling_terminal, terminal, umask, limits,
           scheduling, uid, gid, groups, parent_death_signal, signals, cgroup,
           caf::meta::load_callback(arrive));
}

}  // namespace troupe

#endif  // TROUPE_PROCESS_COMMAND_MESSAGE_H_
