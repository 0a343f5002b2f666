/* spec-take: see spec-take.h. */
#include "supervisor/front/gate/spec-take.h"

#include <stdio.h>

static int refuse(Call *call, const char *code, const SchemaFault *fault, int r, Error *err) {
        char path[SCHEMA_PATH_MAX + sizeof("/spec")];

        (void) snprintf(path, sizeof(path), "/spec%s", fault->path);
        call_refuse(call, code, path, NULL);
        return error_say(err, r, "%s", fault->text);
}

int spec_take(Call *call, const cJSON *params, VerifySpec **ret, Error *err) {
        SchemaFault fault = { .path = "" };
        int r = verify_spec_new(json_get(params, "spec"), ret, &fault);

        return r < 0 ? refuse(call, "invalid", &fault, r, err) : 0;
}

int spec_take_checks(Call *call, const cJSON *workflow, VerifySpec **spec, Error *err) {
        char path[SCHEMA_PATH_MAX + sizeof("/workflow")];
        const cJSON *checks = json_get(workflow, "checks");
        SchemaFault fault = { .path = "" };
        int r = checks ? verify_spec_check(spec, checks, &fault) : 0;

        if (r >= 0)
                return 0;
        (void) snprintf(path, sizeof(path), "/workflow%s", fault.path);
        call_refuse(call, "invalid", path, NULL);
        return error_say(err, r, "%s", fault.text);
}

int spec_take_bounds(Call *call, const VerifySpec *spec, const JailLimits *limits, Error *err) {
        SchemaFault fault = { .path = "" };
        int r = verify_spec_fits(spec, limits, &fault);

        return r < 0 ? refuse(call, "denied", &fault, r, err) : 0;
}
