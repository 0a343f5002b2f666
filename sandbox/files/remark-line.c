/*
 * remark-line: see remark-line.h. The forms of tokens are those that their makers publish so that they can be found.
 *
 * A line can be as long as the patch. What has a form of its own (a token) is looked for in all of it; what only means
 * something beside another word (a name and a string, chmod and a mode) in windows, which overlap: a minified
 * program is one line, and has each word somewhere.
 */
#include "sandbox/files/remark-line.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/owned.h"

#define TOKEN_LOOK     128u /* characters of a token that are looked at: more than any needs */
#define KEY_LOOK       64u  /* between "-----BEGIN" and "PRIVATE KEY" */
#define WINDOW_WORDS   4096u
#define WINDOW_STRINGS 32768u /* a key of any length that is used stands in one */
#define DISTINCT_MIN   6u     /* characters in a token: fewer are a placeholder */
#define ENTROPY_LENGTH 20u
#define DISORDER_MIN   11u

typedef bool (*CharTest)(int c);

static bool is_word(int c) {
        return isalnum(c) || c == '_' || c == '-';
}

static bool is_upper_digit(int c) {
        return isupper(c) || isdigit(c);
}

static bool is_alnum(int c) {
        return isalnum(c) != 0;
}

static bool is_base64(int c) {
        return isalnum(c) || strchr("+/=_-.", c) != NULL;
}

typedef struct TokenForm {
        const char *prefix;
        CharTest of;
        unsigned min, max; /* characters behind the prefix; max 0: any */
        const char *what;
} TokenForm;

static const TokenForm tokens[] = {
        { "AKIA", is_upper_digit, 16, 16, "it looks like an access key of AWS" },
        { "ASIA", is_upper_digit, 16, 16, "it looks like a temporary access key of AWS" },
        { "ghp_", is_alnum, 36, 0, "it looks like a token of GitHub" },
        { "gho_", is_alnum, 36, 0, "it looks like a token of GitHub" },
        { "ghs_", is_alnum, 36, 0, "it looks like a token of GitHub" },
        { "github_pat_", is_word, 22, 0, "it looks like a token of GitHub" },
        { "glpat-", is_word, 20, 0, "it looks like a token of GitLab" },
        { "xoxb-", is_word, 20, 0, "it looks like a token of Slack" },
        { "xoxp-", is_word, 20, 0, "it looks like a token of Slack" },
        { "sk-ant-", is_word, 32, 0, "it looks like a key of Anthropic" },
        { "sk-proj-", is_word, 32, 0, "it looks like a key of OpenAI" },
        { "sk-", is_alnum, 40, 0, "it looks like a key of OpenAI" },
        { "AIza", is_word, 35, 35, "it looks like a key of Google" },
        { "npm_", is_alnum, 36, 36, "it looks like a token of npm" },
        { "pypi-AgEIcHlwaS5vcmc", is_word, 50, 0, "it looks like a token of PyPI" },
        { "hf_", is_alnum, 34, 34, "it looks like a token of Hugging Face" },
        { "sk_live_", is_alnum, 24, 0, "it looks like a key of Stripe" },
        { "rk_live_", is_alnum, 24, 0, "it looks like a key of Stripe" },
        { "SG.", is_base64, 60, 0, "it looks like a key of SendGrid" },
        { "AGE-SECRET-KEY-1", is_upper_digit, 58, 58, "it is a secret key of age" },
};

static const char *const secret_names[] = { "secret",     "token",    "passw",       "api_key",
                                            "apikey",     "api-key",  "private_key", "privatekey",
                                            "access_key", "auth_key", "credential" };

typedef struct NetworkWords {
        const char *suffixes[6];
        const char *words[12];
} NetworkWords;

static const NetworkWords network[] = {
        { { ".c", ".h", ".cc", ".cpp", ".hpp" },
          { "socket(", "connect(", "getaddrinfo(", "curl_easy_", "gethostbyname(" } },
        { { ".py" },
          { "import socket", "import requests", "from requests", "urllib.request", "http.client",
            "import aiohttp", "import httpx", "import ftplib", "import smtplib", "import telnetlib",
            "import paramiko" } },
        { { ".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx" },
          { "fetch(", "XMLHttpRequest", "new WebSocket(", "axios", "require('http",
            "require(\"http", "require('net", "require(\"net", "from 'node:http",
            "from \"node:http", "sendBeacon(" } },
        { { ".go" }, { "\"net\"", "\"net/http\"", "\"net/rpc\"", "\"golang.org/x/net" } },
        { { ".rs" }, { "std::net", "reqwest", "hyper::", "TcpStream", "UdpSocket", "ureq::" } },
        { { ".java", ".kt", ".scala" },
          { "java.net.", "HttpClient", "okhttp", "new Socket(", "HttpURLConnection" } },
        { { ".rb" }, { "Net::HTTP", "open-uri", "TCPSocket", "Faraday" } },
        { { ".php" }, { "curl_init", "fsockopen", "stream_socket_client", "Guzzle" } },
        { { ".cs" }, { "HttpClient", "System.Net", "TcpClient", "WebRequest" } },
        { { ".sh", ".bash", "Dockerfile", "Makefile", ".mk" },
          { "curl ", "wget ", "/dev/tcp/", "nc -", "ncat ", "ssh ", "scp ", "rsync " } },
};

static const struct {
        const char *lock, *manifest;
} locks[] = {
        { "package-lock.json", "package.json" },
        { "npm-shrinkwrap.json", "package.json" },
        { "yarn.lock", "package.json" },
        { "pnpm-lock.yaml", "package.json" },
        { "bun.lock", "package.json" },
        { "Cargo.lock", "Cargo.toml" },
        { "go.sum", "go.mod" },
        { "poetry.lock", "pyproject.toml" },
        { "uv.lock", "pyproject.toml" },
        { "Pipfile.lock", "Pipfile" },
        { "Gemfile.lock", "Gemfile" },
        { "composer.lock", "composer.json" },
        { "mix.lock", "mix.exs" },
        { "pubspec.lock", "pubspec.yaml" },
};

const char *remark_manifest(const char *name) {
        for (unsigned i = 0; i < ELEMENTS(locks); i++)
                if (strcmp(locks[i].lock, name) == 0)
                        return locks[i].manifest;
        return NULL;
}

/* ---- text ---------------------------------------------------------------------------------------- */

static const char *find(HunkBytes text, const char *word) {
        return text.n > 0 ? memmem(text.bytes, text.n, word, strlen(word)) : NULL;
}

static const char *find_nocase(HunkBytes text, const char *word) {
        size_t n = strlen(word);

        for (size_t i = 0; i + n <= text.n; i++)
                if (strncasecmp(text.bytes + i, word, n) == 0)
                        return text.bytes + i;
        return NULL;
}

/* @text from @from on, at most @most bytes */
static HunkBytes part(HunkBytes text, size_t from, size_t most) {
        size_t left = text.n - from;

        return (HunkBytes){ text.bytes + from, left < most ? left : most };
}

static size_t count_of(const char *at, const char *end, CharTest of) {
        size_t n = 0;

        while (at + n < end && of((unsigned char) at[n]))
                n++;
        return n;
}

static unsigned distinct(const char *at, size_t n) {
        bool seen[256] = { false };
        unsigned count = 0;

        for (size_t i = 0; i < n; i++) {
                count += !seen[(unsigned char) at[i]];
                seen[(unsigned char) at[i]] = true;
        }
        return count;
}

/*
 * How many different characters, each as frequent as any other, would be as much in disorder: the inverse of the
 * chance that two of them are the same. Words of a language stay below ten, keys come above it.
 */
static uint64_t disorder(const char *at, size_t n) {
        uint64_t counts[256] = { 0 }, pairs = 0;

        for (size_t i = 0; i < n; i++)
                counts[(unsigned char) at[i]]++;
        for (unsigned i = 0; i < ELEMENTS(counts); i++)
                pairs += counts[i] * counts[i];
        return pairs > 0 ? (uint64_t) n * n / pairs : 0;
}

/* Documentation is full of keys that are none. */
static bool is_placeholder(const char *at, size_t n) {
        const HunkBytes text = { at, n };

        return distinct(at, n) < DISTINCT_MIN || find_nocase(text, "example") ||
               find_nocase(text, "xxxx") || find_nocase(text, "placeholder");
}

static bool has_suffix(const char *path, const char *suffix) {
        size_t n = strlen(path), m = strlen(suffix);

        return n >= m && strcmp(path + n - m, suffix) == 0;
}

static const char *name_of(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* ---- checks -------------------------------------------------------------------------------------- */

static bool holds_token(HunkBytes text, const TokenForm *form) {
        const char *end = text.bytes + text.n, *at = text.bytes;
        size_t prefix = strlen(form->prefix);

        while ((at = find((HunkBytes){ at, (size_t) (end - at) }, form->prefix))) {
                bool alone = at == text.bytes || !is_word((unsigned char) at[-1]);
                HunkBytes rest = part(text, (size_t) (at - text.bytes) + prefix, TOKEN_LOOK);
                size_t n = alone ? count_of(rest.bytes, rest.bytes + rest.n, form->of) : 0;

                if (alone && n >= form->min && (form->max == 0 || n <= form->max) &&
                    !is_placeholder(rest.bytes, n))
                        return true;
                at += prefix;
        }
        return false;
}

static bool holds_private_key(HunkBytes text) {
        const char *at = text.bytes, *end = text.bytes + text.n;

        while ((at = find((HunkBytes){ at, (size_t) (end - at) }, "-----BEGIN "))) {
                if (find(part(text, (size_t) (at - text.bytes), KEY_LOOK), "PRIVATE KEY"))
                        return true;
                at += strlen("-----BEGIN ");
        }
        return false;
}

static const char *check_secret(const RemarkLine *line) {
        if (holds_private_key(line->text))
                return "it is the first line of a private key";
        for (unsigned i = 0; i < ELEMENTS(tokens); i++)
                if (holds_token(line->text, &tokens[i]))
                        return tokens[i].what;
        return NULL;
}

/* Letters and digits in disorder, in quotes. */
static bool is_disordered(const char *at, size_t n) {
        bool letter = false, digit = false;

        for (size_t i = 0; i < n; i++) {
                letter |= isalpha((unsigned char) at[i]) != 0;
                digit |= isdigit((unsigned char) at[i]) != 0;
        }
        return n >= ENTROPY_LENGTH && letter && digit && !is_placeholder(at, n) &&
               disorder(at, n) >= DISORDER_MIN;
}

/* A name that says "secret", and then a string in quotes that nobody would type. */
static const char *check_entropy(const RemarkLine *line) {
        const char *end = line->text.bytes + line->text.n, *at = NULL;

        if (remark_manifest(name_of(line->path)))
                return NULL;
        for (unsigned i = 0; i < ELEMENTS(secret_names); i++) {
                const char *name = find_nocase(line->text, secret_names[i]);

                if (name && (!at || name < at))
                        at = name;
        }
        for (; at && at < end; at++) {
                size_t n;

                if (*at != '"' && *at != '\'' && *at != '`')
                        continue;
                n = count_of(at + 1, end, is_base64);
                if (at + 1 + n < end && at[1 + n] == *at && is_disordered(at + 1, n))
                        return "by its name and its disorder this string may be a secret";
        }
        return NULL;
}

/* "4755", "04755", "0o2755": four octal digits that begin with a set-id bit. */
static bool holds_mode(HunkBytes text) {
        const char *end = text.bytes + text.n;

        for (const char *at = text.bytes; at < end; at++) {
                const char *digits = at;
                size_t n;

                if (!isdigit((unsigned char) *at) || (at > text.bytes && is_word(at[-1])))
                        continue;
                if (*digits == '0' && digits + 1 < end)
                        digits += 1 + (digits[1] == 'o');
                n = count_of(digits, end, is_alnum);
                if (n == 4 && strchr("246", digits[0]) && strspn(digits, "01234567") >= 4)
                        return true;
                at = digits + n;
        }
        return false;
}

static const char *check_set_id(const RemarkLine *line) {
        static const char *const words[] = { "u+s", "g+s", "a+s", " +s " };
        const char *chmod = find(line->text, "chmod");
        bool sets = chmod || find(line->text, "install -m") || find(line->text, "--mode");

        for (unsigned i = 0; chmod && i < ELEMENTS(words); i++)
                if (find(line->text, words[i]))
                        return "it gives a file a set-id bit";
        if (find(line->text, "S_ISUID") || find(line->text, "S_ISGID") ||
            (sets && holds_mode(line->text)))
                return "it gives a file a set-id bit";
        return find(line->text, "setcap ") ? "it gives a file capabilities" : NULL;
}

static const char *check_network(const RemarkLine *line) {
        for (unsigned i = 0; i < ELEMENTS(network); i++) {
                bool fits = false;

                for (unsigned k = 0; k < ELEMENTS(network[i].suffixes) && network[i].suffixes[k];
                     k++)
                        fits |= has_suffix(line->path, network[i].suffixes[k]);
                for (unsigned k = 0; fits && k < ELEMENTS(network[i].words); k++) {
                        const char *word = network[i].words[k];

                        if (word && find(line->text, word) && !find(line->before, word))
                                return "it reaches for a network, which this file did not do "
                                       "before";
                }
        }
        return NULL;
}

typedef struct LineCheck {
        RemarkCheck check;
        size_t window; /* bytes that are looked at together; 0: the whole line */
        const char *(*look)(const RemarkLine *line); /* Returns: a sentence or NULL */
} LineCheck;

static const LineCheck checks[] = {
        { REMARK_SECRET, 0, check_secret },
        { REMARK_ENTROPY, WINDOW_STRINGS, check_entropy },
        { REMARK_SET_ID, WINDOW_WORDS, check_set_id },
        { REMARK_NETWORK, 0, check_network },
};

_Static_assert(ELEMENTS(checks) <= REMARKS_A_LINE, "there is room for each of them");

/* Each window begins in the third quarter of the one before, and not within a word if it can be helped */
static const char *look_all(const LineCheck *check, const RemarkLine *line) {
        size_t size = check->window ? check->window : line->text.n, from = 0;
        RemarkLine window = *line;
        const char *what = NULL;

        while (true) {
                size_t next = from + size / 2;

                window.text = part(line->text, from, size);
                what = check->look(&window);
                if (what || line->text.n - from <= size)
                        return what; /* cppcheck-suppress returnDanglingLifetime; a sentence of ours */
                while (next < from + size / 4 * 3 &&
                       is_word((unsigned char) line->text.bytes[next - 1]))
                        next++;
                from = next;
        }
}

unsigned remarks_of_line(const RemarkLine *line, Remark *ret) {
        unsigned n = 0;

        for (unsigned i = 0; i < ELEMENTS(checks); i++) {
                const char *what = look_all(&checks[i], line);

                /* what is a token already is no second finding */
                if (what && !(checks[i].check == REMARK_ENTROPY && n > 0))
                        ret[n++] = (Remark){ checks[i].check, what };
        }
        return n;
}
