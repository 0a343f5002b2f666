/*
 * danger: a table of patterns. One without a slash is matched against the last component of a path, one with
 * slashes against the end of the path and of each of its directories. Case does not count: file systems of
 * other machines ignore it.
 */
#include "base/danger.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "base/owned.h"

typedef struct DangerRow {
        bool unasked; /* nobody has to start anything but a shell, an editor, git: or a push does */
        const char *why;
        const char *const *patterns; /* ended by NULL */
} DangerRow;

#define PATTERNS(...)             \
        (const char *const[]) {   \
                __VA_ARGS__, NULL \
        }

static const DangerRow rows[] = {
        { true, "runs or is read when the directory is entered or a shell starts",
          PATTERNS(".envrc", ".env", ".env.*", ".bashrc", ".bash_profile", ".bash_login",
                   ".bash_logout", ".profile", ".zshrc", ".zshenv", ".zprofile", ".zlogin",
                   ".kshrc", ".cshrc", ".tcshrc", ".login", ".inputrc", "config.fish",
                   ".tool-versions", ".mise.toml", "mise.toml", ".tmux.conf", ".xinitrc",
                   ".xprofile", "*.desktop", "*.service", "crontab", ".ssh/*", ".netrc", ".pypirc",
                   ".gitconfig") },
        { true, "runs in an editor or debugger that opens the tree",
          PATTERNS(".vscode/*", "*.code-workspace", ".idea/*", "*.iml", ".fleet/*", ".zed/*",
                   ".devcontainer/*", ".devcontainer.json", "devcontainer.json", ".exrc", ".vimrc",
                   ".nvimrc", ".nvim.lua", ".lvimrc", ".dir-locals.el", ".emacs", ".emacs.d/*",
                   ".projectile", "*.sublime-project", ".gdbinit", ".lldbinit", ".gdbearlyinit") },
        { true, "tells coding agents what to do, or what they may run",
          PATTERNS("AGENTS.md", "CLAUDE.md", "GEMINI.md", "QWEN.md", ".cursorrules", ".cursor/*",
                   ".claude/*", ".codex/*", ".gemini/*", ".qwen/*", ".opencode/*", "opencode.json",
                   ".aider*", ".clinerules", ".clinerules/*", ".roo/*", ".windsurfrules",
                   ".mcp.json", "mcp.json", ".goosehints", ".warder/*",
                   "copilot-instructions.md") },
        { true, "is a hook of git, or says which programs git runs",
          PATTERNS(".husky/*", ".githooks/*", "githooks/*", "hooks/*", "lefthook.y*ml",
                   ".lefthook.y*ml", ".pre-commit-config.yaml", ".pre-commit-hooks.yaml",
                   ".gitattributes", ".gitmodules", ".lfsconfig", ".lintstagedrc*",
                   ".overcommit.yml") },
        { true, "runs on the machines of the project's CI, with what they may reach",
          PATTERNS(".github/workflows/*", ".github/actions/*", "action.y*ml", ".gitlab-ci.y*ml",
                   ".gitlab/*", ".circleci/*", ".travis.yml", "azure-pipelines.y*ml", ".drone.y*ml",
                   "bitbucket-pipelines.yml", ".buildkite/*", ".woodpecker.y*ml", ".woodpecker/*",
                   ".forgejo/*", ".gitea/*", "appveyor.yml", ".appveyor.yml", "Jenkinsfile*",
                   ".cirrus.yml", ".builds/*", "cloudbuild.y*ml", "dependabot.yml",
                   "renovate.json") },
        { false, "runs with the next build",
          PATTERNS("Makefile*", "GNUmakefile", "*.mk", "*.mak", "CMakeLists.txt", "*.cmake",
                   "CMakePresets.json", "meson.build", "meson_options.txt", "configure",
                   "configure.ac", "configure.in", "*.m4", "autogen.sh", "bootstrap",
                   "bootstrap.sh", "build.rs", ".cargo/*", "Cargo.toml", "rust-toolchain*",
                   "build.gradle*", "settings.gradle*", "gradle.properties", "gradlew*",
                   "gradle/wrapper/*", "pom.xml", "mvnw*", ".mvn/*", "build.xml", "build.sbt",
                   "BUILD", "BUILD.bazel", "WORKSPACE*", "MODULE.bazel", "*.bzl", ".bazelrc",
                   "SConstruct", "SConscript", "wscript", "Rakefile", "justfile", ".justfile",
                   "Taskfile.y*ml", "Gruntfile.*", "gulpfile.*", "binding.gyp", "*.gyp", "*.csproj",
                   "*.targets", "*.props", "build.zig", "flake.nix", "default.nix", "shell.nix",
                   "Dockerfile*", "Containerfile*", "compose.y*ml", "docker-compose*.y*ml",
                   "Vagrantfile", "Procfile", "Tiltfile", "Earthfile", "dune", "dune-project",
                   "*.cabal", "Setup.hs", "mix.exs", "rebar.config") },
        { false, "runs with the next test",
          PATTERNS("conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "noxfile.py",
                   "sitecustomize.py", "usercustomize.py", "*.pth", ".coveragerc", ".rspec",
                   "karma.conf.*", "jest.config.*", "vitest.config.*", "playwright.config.*",
                   "phpunit.xml*", ".mocharc*", "CTestTestfile.cmake") },
        { false, "runs with the next tool that reads its configuration",
          PATTERNS("*.config.js", "*.config.cjs", "*.config.mjs", "*.config.ts", ".eslintrc*",
                   ".prettierrc*", ".babelrc*", ".stylelintrc*", ".rubocop.yml", ".pylintrc",
                   ".irbrc", ".pryrc", ".Rprofile", ".perltidyrc", ".clang-tidy") },
        { false, "says what is fetched and run when dependencies are installed",
          PATTERNS("package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock",
                   ".yarnrc*", ".yarn/*", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".pnpmfile.*",
                   "bun.lock*", "bunfig.toml", "deno.json*", "deno.lock", ".npmrc", "setup.py",
                   "setup.cfg", "pyproject.toml", "requirements*.txt", "constraints*.txt",
                   "Pipfile*", "poetry.lock", "uv.lock", "pdm.lock", "pip.conf", "environment.yml",
                   "Gemfile*", "*.gemspec", ".bundle/*", "composer.json", "composer.lock",
                   "Cargo.lock", "go.mod", "go.sum", "go.work*", "vendor/modules.txt",
                   "gradle.lockfile", "flake.lock", "Package.swift", "Package.resolved", "Podfile*",
                   "mix.lock", "pubspec.*", "conanfile.*", "vcpkg.json") },
};

/* Does the end of @path match, from the start of one of its components on. */
static bool matches_from_any(const char *path, const char *pattern) {
        for (const char *at = path; at; at = strchr(at, '/')) {
                at += *at == '/';
                if (fnmatch(pattern, at, FNM_CASEFOLD | FNM_NOESCAPE) == 0)
                        return true;
        }
        return false;
}

static bool matches(const char *path, const char *pattern) {
        const char *leaf = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

        if (strchr(pattern, '/'))
                return matches_from_any(path, pattern);
        return fnmatch(pattern, leaf, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
}

static const DangerRow *row_of(const char *path) {
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                for (const char *const *pattern = rows[i].patterns; *pattern; pattern++)
                        if (matches(path, *pattern))
                                return &rows[i];
        return NULL;
}

const char *danger_of(const char *path) {
        const DangerRow *row = row_of(path);

        return row ? row->why : NULL;
}

const char *danger_unasked(const char *path) {
        const DangerRow *row = row_of(path);

        return row && row->unasked ? row->why : NULL;
}

const char *danger_of_mode(uint32_t old, uint32_t new) {
        if (new == 0120000 && old != new)
                return "is a link";
        if (new == 0100755 && old != new)
                return "can be executed, and could not before";
        return NULL;
}
