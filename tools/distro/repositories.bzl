"""Dependencies from the distribution's packages, for Bazel without a network. MODULE.bazel is the other way."""

def _distro_repository_impl(ctx):
    result = ctx.execute(["bash", ctx.path(ctx.attr._make_repository), ctx.name, str(ctx.path("."))])
    if result.return_code != 0:
        fail(result.stderr)

# local: looked at again with each start of the Bazel server, as packages come and go behind its back.
_distro_repository = repository_rule(
    implementation = _distro_repository_impl,
    attrs = {
        "_make_repository": attr.label(default = "//tools/distro:make_repository"),
    },
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)

def distro_repositories():
    """Declares every repository that the build names, so that Bazel never tries to download one.

    Other projects' WORKSPACE files call it, too: what they have declared before stays theirs.
    """
    for name in [
        "abseil-cpp",
        "boost.asio",
        "boost.beast",
        "google_benchmark",
        "googletest",
        "nlohmann_json",
        "openssl",
        "platforms",
        "rapidcheck",
        "remote_coverage_tools",
        "rules_cc",
        "rules_java",
        "rules_proto",
        "simdjson",
        "sqlite3",
        "zlib",
    ]:
        if not native.existing_rule(name):
            _distro_repository(name = name)
