#include "examples/troupe/options.h"

#include <algorithm>
#include <utility>

// The only file that includes CLI11: it takes four seconds to compile.
#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "examples/troupe/timeout.h"

namespace troupe {
namespace {

constexpr char kVersion[] = "troupe 0.1.0\n";
constexpr int kMostInstances = 10000;

absl::Status Invalid(absl::string_view option, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(option, ": ", text));
}

// The options as CLI11 sees them; what they mean is read afterwards, so that
// every text about a value is ours.
struct CommandLine {
  CommandLine() {
    app.require_subcommand(1);
    app.get_formatter()->column_width(36);
    Describe(&app);
    for (CLI::App* command : {up, run, check}) Describe(command);
    for (CLI::App* command : {up, check}) {
      Value(command, "-f,--procfile", &procfile, "FILE", "the processes");
    }
    List("--only", &only, "NAME,...", "run these processes only");
    List("-m,--formation", &counts, "NAME=COUNT,...", "run so many of each");
    up->add_flag("--no-color", no_color, "no colours, not even on a terminal");
    Value(up, "--on-exit", &on_exit, "stop|restart|ignore",
          "what to do when a process ends");
    up->footer(
        "A process has its own --on-exit in a comment above its line:\n"
        "  # troupe: on-exit=restart\n");
    Value(up, "--timeout", &up_timeout, "TIME",
          "kill what has not stopped by then");
    Value(run, "--timeout", &run_timeout, "TIME",
          "stop the command after this time; 0: no limit");
    run->add_flag("--pipe", pipe,
                  "carry its streams instead of handing them on");
    run->add_option("command", command,
                    "the program, then its arguments and options")
        ->option_text(" ");
  }

  void Value(CLI::App* app, const char* name, std::string* value,
             const char* type, const char* text) {
    app->add_option(name, *value, text)
        ->type_name(type)
        ->take_last()
        ->capture_default_str();
  }

  void List(const char* name, std::vector<std::string>* values,
            const char* type, const char* text) {
    up->add_option(name, *values, text)
        ->type_name(type)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);  // `--only a b`: b is not for it
  }

  void Describe(CLI::App* command) {
    command->set_help_flag("-h,--help", "print this and exit");
    command->set_version_flag("--version", kVersion, "print it and exit");
  }

  CLI::App app{"Runs processes, supervised by actors.", "troupe"};
  CLI::App* up = app.add_subcommand("up", "Runs all processes of a Procfile.");
  CLI::App* run = app.add_subcommand("run", "Runs one command.");
  CLI::App* check =
      app.add_subcommand("check", "Says whether a Procfile is sound.");
  std::string procfile = UpOptions().procfile;
  std::vector<std::string> only, counts;
  bool no_color = false, pipe = false;
  std::string on_exit{OnExitName(UpOptions().on_exit)};
  std::string up_timeout = absl::FormatDuration(UpOptions().timeout);
  std::string run_timeout = "0";
  std::vector<std::string> command;
};

// Takes the command off `run --timeout 3s --pipe -- ls -l`. CLI11 never sees
// it: its prefix_command takes an unknown option for the program, and a
// positional argument `[x]` for a list.
std::vector<std::string> TakeCommand(const CLI::App& run,
                                     std::vector<std::string>* arguments) {
  auto at = arguments->begin() + 1;
  bool marked = false;
  while (at != arguments->end() && at->size() > 1 && at->front() == '-') {
    marked = *at == "--";
    if (marked) break;
    const CLI::Option* option = run.get_option_no_throw(*at++);
    bool has_value = option != nullptr && option->get_expected_min() > 0;
    if (has_value && at != arguments->end()) ++at;
  }
  std::vector<std::string> command(marked ? at + 1 : at, arguments->end());
  arguments->erase(at, arguments->end());
  return command;
}

absl::Status ReadOnly(const std::vector<std::string>& lists,
                      UpOptions* options) {
  for (const std::string& list : lists) {
    for (absl::string_view name : absl::StrSplit(list, ',')) {
      if (name.empty()) {
        return Invalid("--only", absl::StrCat("\"", list,
                                              "\" is no list of "
                                              "names such as web,worker"));
      }
      options->only.emplace_back(name);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadCounts(const std::vector<std::string>& lists,
                        UpOptions* options) {
  for (const std::string& list : lists) {
    for (absl::string_view item : absl::StrSplit(list, ',')) {
      std::vector<std::string> parts = absl::StrSplit(item, '=');
      int count = -1;
      bool sound = parts.size() == 2 && !parts[0].empty() &&
                   absl::SimpleAtoi(parts[1], &count);
      if (!sound || count < 0 || count > kMostInstances) {
        return Invalid("-m", absl::StrCat("\"", item,
                                          "\" is not NAME=COUNT "
                                          "with a count from 0 to ",
                                          kMostInstances));
      }
      if (!options->counts.emplace(parts[0], count).second) {
        return Invalid("-m", absl::StrCat(parts[0], " is given twice"));
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Options> ReadUp(const CommandLine& line) {
  UpOptions options;
  options.procfile = line.procfile;
  options.no_color = line.no_color;
  absl::Status status = ReadOnly(line.only, &options);
  status.Update(ReadCounts(line.counts, &options));
  if (!status.ok()) return status;
  auto on_exit = ParseOnExit(line.on_exit);
  if (!on_exit.has_value()) {
    return Invalid("--on-exit", absl::StrCat("\"", line.on_exit,
                                             "\" is not "
                                             "stop, restart or ignore"));
  }
  options.on_exit = *on_exit;
  auto timeout = ParseTimeout(line.up_timeout);
  if (!timeout.ok()) return Invalid("--timeout", timeout.status().message());
  options.timeout = *timeout;
  return options;
}

absl::StatusOr<Options> ReadRun(const CommandLine& line,
                                std::vector<std::string> command) {
  RunOptions options;
  options.pipe = line.pipe;
  options.command = std::move(command);
  if (options.command.empty()) {
    return absl::InvalidArgumentError("no command to run");
  }
  auto timeout = ParseTimeout(line.run_timeout);
  if (!timeout.ok()) return Invalid("--timeout", timeout.status().message());
  if (*timeout > absl::ZeroDuration()) options.timeout = *timeout;
  return options;
}

// `troupe up`, as far as the command line got.
std::string CommandName(const CommandLine& line) {
  auto chosen = line.app.get_subcommands();
  return chosen.empty() ? "troupe"
                        : absl::StrCat("troupe ", chosen[0]->get_name());
}

OptionsExit Mistake(const CommandLine& line, absl::string_view text) {
  std::string name = CommandName(line);
  return {2, absl::StrCat(name, ": ", text, "; see ", name, " --help\n")};
}

// CLI11's own texts, except where they leave the word at fault out.
std::string ErrorText(const CommandLine& line, const CLI::ParseError& error) {
  std::vector<std::string> rest = line.app.remaining(true);
  if (!rest.empty() && line.app.get_subcommands().empty() &&
      rest[0][0] != '-') {
    return absl::StrCat("no command \"", rest[0],
                        "\"; there is up, run and check");
  }
  if (!rest.empty()) {
    bool option = rest[0].size() > 1 && rest[0][0] == '-';
    return absl::StrCat(option ? "no option " : "unexpected argument \"",
                        rest[0], option ? "" : "\"");
  }
  if (line.app.get_subcommands().empty()) {
    return "which command? there is up, run and check";
  }
  return error.what();
}

}  // namespace

std::variant<Options, OptionsExit> ParseOptions(
    const std::vector<std::string>& arguments) {
  CommandLine line;
  std::vector<std::string> ours = arguments, command;
  if (!ours.empty() && ours[0] == "run") {
    command = TakeCommand(*line.run, &ours);
  }
  try {
    std::reverse(ours.begin(), ours.end());  // CLI11 takes them from the back
    line.app.parse(std::move(ours));
  } catch (const CLI::CallForHelp&) {
    return OptionsExit{0, line.app.help()};
  } catch (const CLI::CallForVersion&) {
    return OptionsExit{0, kVersion};
  } catch (const CLI::ParseError& error) {
    return Mistake(line, ErrorText(line, error));
  }
  absl::StatusOr<Options> options = CheckOptions{line.procfile};
  if (*line.up) options = ReadUp(line);
  if (*line.run) options = ReadRun(line, std::move(command));
  if (line.procfile.empty()) options = Invalid("-f", "no file name");
  if (!options.ok()) return Mistake(line, options.status().message());
  return *std::move(options);
}

}  // namespace troupe
