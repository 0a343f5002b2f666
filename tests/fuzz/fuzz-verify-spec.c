/*
 * verify-spec: a verify/1 object as a repository or a client gives it.
 */
#include "supervisor/front/gate/verify-spec.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void must(bool good) {
        if (!good)
                abort();
}

static void check_command(const VerifyCommand *command) {
        unsigned n = 0;

        while (command->argv[n])
                n++;
        must(n > 0 && n <= VERIFY_ARGS_MAX && command->wall_usec > 0);
        must(memchr(command->id, 0, sizeof(command->id)) != NULL);
        must(strncmp(command->cwd, "/work", 5) == 0 && !strstr(command->cwd, "/../"));
        must(command->parse < _VERIFY_PARSE_MAX && verify_parse_name(command->parse));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        SCOPED(verify_spec_free) VerifySpec *spec = NULL, *again = NULL;
        SCOPED(json_free) cJSON *json = NULL;
        SchemaFault fault = { .path = "" };
        unsigned i;

        if (json_parse((const char *) data, n, JSON_COMMENTS, &json, NULL) < 0)
                return 0;
        if (verify_spec_new(json, &spec, &fault) < 0) {
                must(fault.text[0] && !spec);
                return 0;
        }
        must(spec->n_commands > 0 && spec->n_commands <= VERIFY_COMMANDS_MAX &&
             spec->n_setup <= VERIFY_SETUP_MAX && spec->n_protect <= VERIFY_GLOBS_MAX &&
             spec->n_allow <= VERIFY_GLOBS_MAX);
        for (i = 0; i < spec->n_commands; i++)
                check_command(&spec->commands[i]);
        (void) verify_spec_names_tests(spec);
        must(verify_spec_new(spec->json, &again, &fault) == 0);
        must(memcmp(spec->digest, again->digest, sizeof(spec->digest)) == 0);
        return 0;
}
