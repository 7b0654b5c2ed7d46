// `bazel run` starts a program in its runfiles folder; this takes it back to
// where the user stands, so that `-f Procfile` means what it says.
#ifndef TROUPE_EXAMPLES_TROUPE_WORKING_FOLDER_H_
#define TROUPE_EXAMPLES_TROUPE_WORKING_FOLDER_H_

#include "absl/status/status.h"

namespace troupe {

// For the beginning of main, before there are threads: it changes the working
// folder and the environment. Outside `bazel run` it does nothing.
//
// Of what `bazel run` adds, children get nothing: BUILD_WORKING_DIRECTORY and
// BUILD_WORKSPACE_DIRECTORY are removed (a troupe started by a child would
// otherwise leave its own folder), PWD says the new folder. Other variables in
// BUILD_* are the user's.
//
// When the folder is gone: OsError's status, step "chdir".
absl::Status EnterWorkingFolder();

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_WORKING_FOLDER_H_
