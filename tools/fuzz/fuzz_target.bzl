"""A fuzz target and the test that runs it over its corpus."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

def fuzz_target(name, srcs, corpus, deps = [], **kwargs):
    """Declares NAME, to be run with --config=fuzz and a folder, and NAME_corpus_test, which runs in every build.

    Args:
      name: of the binary.
      srcs: define LLVMFuzzerTestOneInput.
      corpus: label of a filegroup with at least one input. Each is run once by the test.
      deps: of the sources.
      **kwargs: for the test, such as size.
    """
    cc_library(
        name = name + "_fuzz",
        testonly = True,
        srcs = srcs,
        deps = deps,
        alwayslink = True,
    )
    cc_binary(
        name = name,
        testonly = True,
        deps = [":" + name + "_fuzz", "//tools/fuzz:main"],
    )
    cc_test(
        name = name + "_corpus_test",
        args = ["$(rootpaths %s)" % corpus],
        data = [corpus],
        deps = [":" + name + "_fuzz", "//tools/fuzz:main"],
        **kwargs
    )
