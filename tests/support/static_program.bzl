"""A program from NAME.c, static and without libc's start: a fiftieth of its time."""

def static_program(name):
    native.genrule(
        name = name + "_genrule",
        srcs = [name + ".c"],
        outs = [name],
        cmd = "$(CC) -Os -static -nostartfiles -o $@ $<",
        executable = True,
        toolchains = ["@bazel_tools//tools/cpp:current_cc_toolchain"],
    )
