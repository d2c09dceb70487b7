/* Replays transcripts of an independent implementation against the library: each answer, each octet that is signed and each
 * parameter of an association must be the recorded one.
 *
 * In the first run everything is inline and the library has the keys. In the second, keys, signatures, calendar and jobs are
 * this program's: callbacks and threads. */
#include <ikev2_scsi.h>
#include <pthread.h>

#include "esp.h"
#include "replay.h"

enum { BUFFER = 65536, NEXUS_OFFSET = 1000 };

typedef struct bench {
    transcript all;
    /* The draws of this command, by ikev2_scsi_purpose. */
    unsigned drawn[8];
    unsigned freed, signed_count, asked_for_time, keyed, descriptors, logged;
    uint32_t removed_why;
    uint8_t *data_in;
    uint64_t now;
} bench;

static void freed(void *user) { ((bench *)user)->freed++; }

/* The recorded value for a draw. */
static int fill(void *user, uint32_t purpose, uint8_t *out, size_t length) {
    bench *b = user;
    const line *recorded = find(&b->all, "random", 0);
    if (purpose < 1 || purpose > 4 || (b->drawn[purpose]++ != 0 && building == NULL)) return 1;
    int is_descriptor = building != NULL && purpose == IKEV2_SCSI_PURPOSE_IV;
    blob value = is_descriptor ? hex(building, 3) : hex(recorded, (int)purpose);
    int is_right = value.length == length;
    if (is_right) memcpy(out, value.data, length);
    free(value.data);
    return !is_right;
}

static size_t private_length(void *user, size_t length) {
    (void)length;
    blob value = hex(find(&((bench *)user)->all, "random", 0), IKEV2_SCSI_PURPOSE_DH_PRIVATE);
    free(value.data);
    return value.length;
}

static int unix_time(void *user, uint64_t *seconds) {
    bench *b = user;
    b->asked_for_time++;
    *seconds = number(find(&b->all, "time", 0), 1);
    return 0;
}

/* What is signed must be the recorded octets; the answer is the recorded signature. */
static int sign(void *user, const ikev2_scsi_bytes *parts, size_t count, uint8_t *signature, size_t length) {
    bench *b = user;
    const line *recorded = find(&b->all, "signer", 0);
    blob octets = hex(recorded, 3), made = hex(recorded, 4);
    size_t at = 0;
    int is_right = made.length == length;
    for (size_t i = 0; i < count && is_right; i++) {
        is_right = parts[i].length <= octets.length - at && memcmp(parts[i].data, octets.data + at, parts[i].length) == 0;
        at += parts[i].length;
    }
    is_right = is_right && at == octets.length;
    if (is_right) memcpy(signature, made.data, length);
    free(octets.data);
    free(made.data);
    b->signed_count++;
    return !is_right;
}

static int keyed(const line *from, int at, uint32_t prf, const uint8_t *pad, size_t pad_length, uint8_t *out, size_t length) {
    blob secret = hex(from, at);
    ikev2_scsi_result result = ikev2_scsi_prf(prf, secret.data, secret.length, pad, pad_length, out, length);
    free(secret.data);
    return result == IKEV2_SCSI_RESULT_OK ? 0 : 2;
}

static int own_key(void *user, uint32_t prf, const uint8_t *pad, size_t pad_length, uint8_t *out, size_t length, uint64_t *version) {
    bench *b = user;
    *version = 1;
    b->keyed++;
    return keyed(find(&b->all, "psk", 0), 1, prf, pad, pad_length, out, length);
}

static int peer_key(void *user, uint32_t id_type, const uint8_t *id, size_t id_length, uint32_t prf, const uint8_t *pad,
                    size_t pad_length, uint8_t *out, size_t length, uint64_t *version) {
    bench *b = user;
    const line *client;
    for (size_t i = 0; (client = find(&b->all, "client", i)) != NULL; i++) {
        blob known = hex(client, 2);
        int is_this = number(client, 1) == id_type && known.length == id_length && memcmp(known.data, id, id_length) == 0;
        free(known.data);
        if (is_this) {
            *version = i + 2;
            b->keyed++;
            return keyed(client, 3, prf, pad, pad_length, out, length);
        }
    }
    return 1;
}

/* The record of secrets has the recorded key. */
static void record(void *user, uint64_t ac_sai, uint64_t ds_sai, const char *name, const uint8_t *value, size_t length) {
    bench *b = user;
    const line *parameter;
    if (strcmp(name, "SK_ei") != 0 || find(&b->all, "sa", 0) == NULL) return;
    for (size_t i = 0; (parameter = find(&b->all, "parameter", i)) != NULL; i++) {
        if (number(parameter, 1) != IKEV2_SCSI_SA_BYTES_SK_EI) continue;
        blob expected = hex(parameter, 2);
        CHECK(expected.length == length && memcmp(expected.data, value, length) == 0);
        free(expected.data);
        b->logged++;
    }
    CHECK(ac_sai == number(find(&b->all, "sa", 0), 1) && ds_sai == number(find(&b->all, "sa", 0), 2));
}

/* The certificates of a kind of key. */
static size_t chain(const transcript *all, uint64_t kind, ikev2_scsi_bytes *out, size_t most) {
    size_t count = 0;
    const line *from;
    for (size_t i = 0; (from = find(all, "certificate", i)) != NULL; i++) {
        if (number(from, 1) != kind || count == most) continue;
        blob certificate = hex(from, 2);
        out[count++] = (ikev2_scsi_bytes){certificate.data, certificate.length};
    }
    return count;
}

static void add_key(ikev2_scsi_builder *builder, bench *b, const line *from, int use_callbacks) {
    ikev2_scsi_bytes certificates[4];
    size_t count = chain(&b->all, number(from, 1), certificates, 4);
    const line *signer = find(&b->all, "signer", 0);
    if (use_callbacks && signer != NULL && number(signer, 1) == number(from, 1)) {
        blob key = hex(signer, 2), made = hex(signer, 4);
        ikev2_scsi_signer_callbacks callbacks = {
            b, (uint32_t)number(signer, 1), IKEV2_SCSI_HASH_STANDARD, {key.data, key.length}, made.length, sign, freed};
        CHECK(ikev2_scsi_builder_signer(builder, &callbacks, certificates, count, (uint32_t)number(signer, 5)) == 0);
        free(key.data);
        free(made.data);
    } else {
        blob key = hex(from, 2);
        CHECK(ikev2_scsi_builder_private_key(builder, key.data, key.length, IKEV2_SCSI_HASH_STANDARD, certificates, count,
                                             (uint32_t)number(from, 3)) == 0);
        memset(key.data, 0, key.length);
        free(key.data);
    }
    for (size_t i = 0; i < count; i++) free((void *)certificates[i].data);
}

static void configure(ikev2_scsi_builder *builder, bench *b, const line *from, int use_callbacks) {
    const char *word = from->words[0];
    blob first = {NULL, 0}, second = {NULL, 0};
    if (strcmp(word, "capabilities") == 0) {
        first = hex(from, 1);
        CHECK(ikev2_scsi_builder_fixed_capabilities(builder, first.data, first.length / 12) == 0);
    } else if (strcmp(word, "identity") == 0) {
        first = hex(from, 2);
        CHECK(ikev2_scsi_builder_identity(builder, (uint32_t)number(from, 1), first.data, first.length) == 0);
    } else if (strcmp(word, "psk") == 0 && !use_callbacks) {
        first = hex(from, 1);
        CHECK(ikev2_scsi_builder_own_preshared_key(builder, first.data, first.length) == 0);
    } else if (strcmp(word, "client") == 0 && !use_callbacks) {
        first = hex(from, 2), second = hex(from, 3);
        CHECK(ikev2_scsi_builder_peer_preshared_key(builder, (uint32_t)number(from, 1), first.data, first.length, second.data,
                                                    second.length) == 0);
    } else if (strcmp(word, "known") == 0) {
        first = hex(from, 2), second = hex(from, 3);
        CHECK(ikev2_scsi_builder_peer_public_key(builder, (uint32_t)number(from, 1), first.data, first.length, second.data,
                                                 second.length) == 0);
    } else if (strcmp(word, "anchor") == 0) {
        first = hex(from, 1);
        CHECK(ikev2_scsi_builder_trust_anchor(builder, first.data, first.length) == 0);
    } else if (strcmp(word, "policy") == 0) {
        CHECK(ikev2_scsi_builder_policy(builder, (uint32_t)number(from, 1), number(from, 2)) == 0);
    } else if (strcmp(word, "limit") == 0) {
        CHECK(ikev2_scsi_builder_limit(builder, (uint32_t)number(from, 1), number(from, 2)) == 0);
    } else if (strcmp(word, "usage") == 0) {
        CHECK(ikev2_scsi_builder_usage_type(builder, (uint16_t)number(from, 1), 1024) == 0);
    } else if (strcmp(word, "key") == 0) {
        add_key(builder, b, from, use_callbacks);
    }
    free(first.data);
    free(second.data);
}

static ikev2_scsi_server *make(bench *b, int use_callbacks) {
    ikev2_scsi_builder *builder = NULL;
    ikev2_scsi_server *server = NULL;
    CHECK(ikev2_scsi_builder_new((uint32_t)number(find(&b->all, "dialect", 0), 1), &builder) == 0);
    for (size_t i = 0; i < b->all.count; i++) configure(builder, b, &b->all.lines[i], use_callbacks);
    ikev2_scsi_random_callbacks random = {b, fill, private_length, freed};
    CHECK(ikev2_scsi_builder_random(builder, &random) == 0);
    if (use_callbacks) {
        ikev2_scsi_preshared_key_callbacks keys = {b, own_key, peer_key, freed};
        ikev2_scsi_clock_callbacks clock = {b, unix_time, freed};
        CHECK(ikev2_scsi_builder_preshared_keys(builder, &keys) == 0);
        CHECK(ikev2_scsi_builder_clock(builder, &clock) == 0);
        ikev2_scsi_key_log_callbacks log = {b, record, freed};
        CHECK(ikev2_scsi_builder_key_log(builder, &log) == 0);
        CHECK(ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_OFFLOAD, 1) == 0);
    }
    CHECK(ikev2_scsi_builder_build(builder, &server) == 0);
    if (!use_callbacks) CHECK(ikev2_scsi_server_set_unix_time(server, number(find(&b->all, "time", 0), 1), b->now) == 0);
    return server;
}

static void *run_job(void *job) {
    CHECK(ikev2_scsi_job_run(job) == 0);
    return NULL;
}

/* Runs what waits, each job on a thread of its own; a held command's answer comes into `reply`. */
static unsigned run_jobs(bench *b, ikev2_scsi_server *server, ikev2_scsi_reply *reply) {
    ikev2_scsi_job *job = NULL;
    unsigned count = 0;
    while (ikev2_scsi_server_poll_job(server, &job) == IKEV2_SCSI_RESULT_OK) {
        pthread_t thread;
        uint32_t kind = 0;
        uint64_t job_number = 0;
        ikev2_scsi_reply late;
        CHECK(ikev2_scsi_job_info(job, &kind, &job_number) == 0 && kind != 0);
        CHECK(ikev2_scsi_server_complete(server, job, NULL, 0, b->now, &late) == IKEV2_SCSI_RESULT_INVALID_ARGUMENT);
        CHECK(pthread_create(&thread, NULL, run_job, job) == 0 && pthread_join(thread, NULL) == 0);
        ikev2_scsi_result result = ikev2_scsi_server_complete(server, job, b->data_in, BUFFER, b->now, &late);
        if (kind == IKEV2_SCSI_JOB_KIND_KEY_EXCHANGE) {
            CHECK(result == IKEV2_SCSI_RESULT_NONE);
        } else {
            CHECK(result == IKEV2_SCSI_RESULT_OK && reply->status == IKEV2_SCSI_STATUS_HELD && reply->job == job_number);
            *reply = late;
        }
        CHECK(ikev2_scsi_job_run(job) == IKEV2_SCSI_RESULT_INVALID_HANDLE);
        count++;
    }
    return count;
}

/* The association must have the recorded parameters. */
static void check_sa(bench *b, ikev2_scsi_server *server, ikev2_scsi_sa_id id) {
    const line *sa = find(&b->all, "sa", 0), *management = find(&b->all, "management", 0), *parameter;
    ikev2_scsi_sa got;
    ikev2_scsi_sa_id ids[2];
    uint8_t bytes[1024];
    size_t count = 0, length = 0;
    CHECK(sa != NULL && management != NULL);
    CHECK(id.ac_sai == number(sa, 1) && id.ds_sai == number(sa, 2));
    CHECK(ikev2_scsi_server_sa(server, id, b->now, &got) == 0);
    CHECK(got.timeout == number(sa, 3) && got.kdf_id == number(sa, 4) && got.usage_type == number(sa, 5));
    CHECK(got.mgmt_encr == number(management, 1) && got.mgmt_key_length == number(management, 2));
    CHECK(got.mgmt_integ == number(management, 3) && got.next_message_id == number(management, 4));
    for (size_t i = 0; (parameter = find(&b->all, "parameter", i)) != NULL; i++) {
        blob expected = hex(parameter, 2);
        uint32_t what = (uint32_t)number(parameter, 1);
        CHECK(ikev2_scsi_server_sa_bytes(server, id, b->now, what, bytes, sizeof bytes, &length) == 0);
        CHECK(length == expected.length && memcmp(bytes, expected.data, length) == 0);
        ikev2_scsi_result short_result = ikev2_scsi_server_sa_bytes(server, id, b->now, what, NULL, 0, &length);
        CHECK(short_result == (length == 0 ? IKEV2_SCSI_RESULT_OK : IKEV2_SCSI_RESULT_BUFFER_TOO_SMALL));
        free(expected.data);
    }
    CHECK(ikev2_scsi_server_list_sas(server, b->now, NULL, 0, &count) == IKEV2_SCSI_RESULT_BUFFER_TOO_SMALL && count == 1);
    CHECK(ikev2_scsi_server_list_sas(server, b->now, ids, 2, &count) == 0 && count == 1 && ids[0].ds_sai == id.ds_sai);
    CHECK(ikev2_scsi_server_touch_sa(server, id, b->now) == 0);
    b->descriptors += check_esp(&b->all, server, id, b->now);
    id.ac_sai ^= 1;
    CHECK(ikev2_scsi_server_touch_sa(server, id, b->now) == IKEV2_SCSI_RESULT_NONE);
    CHECK(ikev2_scsi_server_sa(server, id, b->now, &got) == IKEV2_SCSI_RESULT_NONE);
}

static unsigned drain(bench *b, ikev2_scsi_server *server, uint32_t wanted) {
    ikev2_scsi_event event;
    char text[256];
    unsigned count = 0;
    while (ikev2_scsi_server_poll_event(server, &event, text, sizeof text) == IKEV2_SCSI_RESULT_OK) {
        CHECK(strlen(text) == event.text_length);
        if (event.kind == IKEV2_SCSI_EVENT_KIND_SA_REMOVED)
            b->removed_why = event.reason;
        else
            CHECK(event.has_nexus == 1);
        if (event.kind == IKEV2_SCSI_EVENT_KIND_SA_CREATED)
            check_sa(b, server, (ikev2_scsi_sa_id){event.ac_sai, event.ds_sai});
        count += event.kind == wanted;
    }
    return count;
}

static void step(bench *b, ikev2_scsi_server *server, const line *from, unsigned *jobs) {
    blob cdb = hex(from, 2), out = hex(from, 3), in = hex(from, 4), sense = hex(from, 6);
    ikev2_scsi_reply reply;
    uint64_t nexus = number(from, 1) + NEXUS_OFFSET;
    memset(b->data_in, 0xA5, BUFFER);
    memset(b->drawn, 0, sizeof b->drawn);
    uint8_t *copy = malloc(out.length + 1);
    memcpy(copy, out.data, out.length);
    CHECK(ikev2_scsi_server_execute(server, nexus, cdb.data, cdb.length, out.data, out.length, b->data_in, BUFFER, b->now,
                                    &reply) == 0);
    CHECK(memcmp(copy, out.data, out.length) == 0);
    *jobs += run_jobs(b, server, &reply);
    CHECK(reply.status == number(from, 5) && reply.nexus == nexus);
    CHECK(reply.data_in_length == in.length && memcmp(b->data_in, in.data, in.length) == 0);
    for (size_t i = in.length; i < BUFFER; i++) CHECK(b->data_in[i] == 0xA5);
    CHECK(reply.sense.length == sense.length && memcmp(reply.sense.bytes, sense.data, sense.length) == 0);
    free(copy);
    free(cdb.data);
    free(out.data);
    free(in.data);
    free(sense.data);
}

/* The association was deleted; or an administrator removes it, or it is not used for long. */
static void check_removal(bench *b, ikev2_scsi_server *server, int is_unused) {
    const line *sa = find(&b->all, "sa", 0);
    ikev2_scsi_sa_id id = {number(sa, 1), number(sa, 2)};
    size_t count = 1;
    if (b->removed_why == 0 && is_unused) {
        uint64_t at = 0;
        uint32_t reason = 0;
        CHECK(ikev2_scsi_server_touch_sa(server, id, b->now) == 0);
        CHECK(ikev2_scsi_server_expire(server, b->now + number(sa, 3) * 1000 - 1) == 0);
        CHECK(ikev2_scsi_server_next_deadline(server, &at, &reason) == 0 && at == b->now + number(sa, 3) * 1000);
        CHECK(reason == IKEV2_SCSI_DEADLINE_INACTIVITY && ikev2_scsi_server_expire(server, at) == 0);
        drain(b, server, 0);
        CHECK(b->removed_why == IKEV2_SCSI_REMOVAL_REASON_INACTIVITY);
    } else if (b->removed_why == 0) {
        CHECK(ikev2_scsi_server_remove_sa(server, id) == 0);
        drain(b, server, 0);
        CHECK(b->removed_why == IKEV2_SCSI_REMOVAL_REASON_ADMINISTRATOR);
    } else {
        CHECK(b->removed_why == IKEV2_SCSI_REMOVAL_REASON_DELETE);
    }
    CHECK(ikev2_scsi_server_remove_sa(server, id) == IKEV2_SCSI_RESULT_NONE);
    CHECK(ikev2_scsi_server_list_sas(server, b->now, NULL, 0, &count) == 0 && count == 0);
}

static void replay(const char *path, int use_callbacks) {
    bench b = {.data_in = malloc(BUFFER), .now = 5};
    const line *from;
    unsigned jobs = 0, created = 0;
    size_t steps = 0;
    b.all = read_transcript(path);
    ikev2_scsi_server *server = make(&b, use_callbacks);
    for (; (from = find(&b.all, "step", steps)) != NULL; steps++) {
        step(&b, server, from, &jobs);
        created += drain(&b, server, IKEV2_SCSI_EVENT_KIND_SA_CREATED);
        b.now += 1000;
    }
    CHECK(created == (find(&b.all, "sa", 0) != NULL) && b.logged == (use_callbacks ? created : 0));
    if (created) check_removal(&b, server, use_callbacks);
    CHECK((jobs > 0) == use_callbacks && (b.asked_for_time > 0) == use_callbacks);
    CHECK((b.signed_count > 0) == (use_callbacks && find(&b.all, "signer", 0) != NULL));
    CHECK(ikev2_scsi_server_free(server) == 0);
    CHECK(b.freed == (unsigned)(1 + (use_callbacks ? 3 + (find(&b.all, "signer", 0) != NULL) : 0)));
    printf("%s: %zu commands, %u jobs, by callbacks %u signatures and %u values of shared keys, %u descriptors\n", path, steps,
           jobs, b.signed_count, b.keyed, b.descriptors);
    free_transcript(&b.all);
    free(b.data_in);
}

/* Sends the command of a recorded step, and gives the sense key of the answer; 256 if it is held. */
static unsigned send(bench *b, ikev2_scsi_server *server, size_t nth) {
    const line *from = find(&b->all, "step", nth);
    blob cdb = hex(from, 2), out = hex(from, 3);
    ikev2_scsi_reply reply;
    memset(b->drawn, 0, sizeof b->drawn);
    CHECK(ikev2_scsi_server_execute(server, 1, cdb.data, cdb.length, out.data, out.length, b->data_in, BUFFER, b->now, &reply) == 0);
    free(cdb.data);
    free(out.data);
    return reply.status == IKEV2_SCSI_STATUS_HELD ? 256 : reply.sense.bytes[2] & 0x0F;
}

static ikev2_scsi_job *poll(ikev2_scsi_server *server, uint32_t expected) {
    ikev2_scsi_job *job = NULL;
    uint32_t kind = 0;
    CHECK(ikev2_scsi_server_poll_job(server, &job) == 0 && ikev2_scsi_job_info(job, &kind, NULL) == 0 && kind == expected);
    return job;
}

/* Gives a job back, and gives the sense key of the held command's answer; 256 if none was held. */
static unsigned complete(bench *b, ikev2_scsi_server *server, ikev2_scsi_job *job) {
    ikev2_scsi_reply reply;
    if (ikev2_scsi_server_complete(server, job, b->data_in, BUFFER, b->now, &reply) == IKEV2_SCSI_RESULT_NONE) return 256;
    CHECK(reply.nexus == 1);
    return reply.sense.bytes[2] & 0x0F;
}

/* While a calculation runs, the nexus is told so. */
static void check_progress(bench *b, ikev2_scsi_server *server) {
    ikev2_scsi_sense sense;
    uint64_t at = 0;
    uint32_t reason = 0;
    int in_progress = 0;
    CHECK(ikev2_scsi_server_request_sense(server, 1, b->now + 500, &sense) == 0 && sense.length == 18);
    CHECK((sense.bytes[2] & 0x0F) == 0x2 && sense.bytes[12] == 0x04 && sense.bytes[13] == 0x07);
    CHECK(sense.bytes[15] == 0x80 && sense.bytes[16] >= 0x70);
    CHECK(ikev2_scsi_server_descriptor_sense(server, 1) == 0);
    CHECK(ikev2_scsi_server_request_sense(server, 1, b->now, &sense) == 0 && sense.bytes[0] == 0x72);
    CHECK(ikev2_scsi_server_descriptor_sense(server, 0) == 0);
    CHECK(ikev2_scsi_server_next_deadline(server, &at, &reason) == 0 && at == b->now + 60000);
    CHECK(reason == IKEV2_SCSI_DEADLINE_PROTOCOL);
    CHECK(ikev2_scsi_server_sequence_in_progress(server, 1, b->now, &in_progress) == 0 && in_progress == 1);
    CHECK(ikev2_scsi_server_sequence_in_progress(server, 2, b->now, &in_progress) == 0 && in_progress == 0);
}

static uint32_t dropped_why(bench *b, ikev2_scsi_server *server) {
    ikev2_scsi_event event;
    uint32_t why = 0;
    (void)b;
    while (ikev2_scsi_server_poll_event(server, &event, NULL, 0) == IKEV2_SCSI_RESULT_OK)
        if (event.kind == IKEV2_SCSI_EVENT_KIND_SEQUENCE_DROPPED) why = event.reason;
    return why;
}

/* Jobs that fail, are lost, come late, or to the wrong device server; on a transcript of r3 with shared keys, whose protocol
 * timeout is 60 seconds: capabilities, key exchange OUT and IN, authentication OUT and IN. */
static void disturb(const char *path) {
    enum { HARDWARE_ERROR = 0x4, NOT_READY = 0x2, GOOD = 0, HELD = 256, NOBODY = 256 };
    bench b = {.data_in = malloc(BUFFER), .now = 5}, other = b;
    b.all = read_transcript(path);
    other.all = b.all;
    ikev2_scsi_server *server = make(&b, 1), *second = make(&other, 1);
    ikev2_scsi_job *job;
    CHECK(send(&b, server, 0) == GOOD && send(&b, server, 1) == GOOD);
    check_progress(&b, server);
    CHECK(send(&b, server, 2) == NOT_READY);
    /* The first attempt fails; the key exchange IN is told, and it is tried again. */
    job = poll(server, IKEV2_SCSI_JOB_KIND_KEY_EXCHANGE);
    CHECK(ikev2_scsi_job_fail(job) == 0 && ikev2_scsi_job_run(job) == IKEV2_SCSI_RESULT_INVALID_ARGUMENT);
    CHECK(complete(&b, server, job) == NOBODY && send(&b, server, 2) == HARDWARE_ERROR);
    job = poll(server, IKEV2_SCSI_JOB_KIND_KEY_EXCHANGE);
    CHECK(ikev2_scsi_job_run(job) == 0 && complete(&b, server, job) == NOBODY && send(&b, server, 2) == GOOD);
    /* An authentication that fails on our side may be sent again. */
    CHECK(send(&b, server, 3) == HELD);
    job = poll(server, IKEV2_SCSI_JOB_KIND_VERIFY);
    CHECK(ikev2_scsi_job_fail(job) == 0 && complete(&b, server, job) == HARDWARE_ERROR && send(&b, server, 3) == HELD);
    job = poll(server, IKEV2_SCSI_JOB_KIND_VERIFY);
    CHECK(ikev2_scsi_job_run(job) == 0 && complete(&b, server, job) == GOOD && send(&b, server, 4) == HELD);
    /* A job whose nexus is gone, and one that another device server is given, answer nobody. */
    job = poll(server, IKEV2_SCSI_JOB_KIND_SIGN);
    CHECK(ikev2_scsi_job_run(job) == 0 && ikev2_scsi_server_nexus_lost(server, 1) == 0);
    CHECK(dropped_why(&b, server) == IKEV2_SCSI_DROP_REASON_NEXUS_LOSS && complete(&b, server, job) == NOBODY);
    CHECK(send(&b, server, 1) == GOOD);
    job = poll(server, IKEV2_SCSI_JOB_KIND_KEY_EXCHANGE);
    CHECK(ikev2_scsi_job_run(job) == 0 && complete(&other, second, job) == NOBODY && send(&b, server, 2) == NOT_READY);
    /* A job that is lost leaves its sequence to the timeout. */
    b.now += 61000;
    CHECK(ikev2_scsi_server_expire(server, b.now) == 0 && dropped_why(&b, server) == IKEV2_SCSI_DROP_REASON_PROTOCOL_TIMEOUT);
    CHECK(send(&b, server, 1) == GOOD);
    CHECK(ikev2_scsi_job_free(poll(server, IKEV2_SCSI_JOB_KIND_KEY_EXCHANGE)) == 0);
    CHECK(ikev2_scsi_server_reset(server) == 0 && dropped_why(&b, server) == IKEV2_SCSI_DROP_REASON_RESET);
    /* A job outlives its device server, and runs. */
    CHECK(send(&b, server, 1) == GOOD);
    job = poll(server, IKEV2_SCSI_JOB_KIND_KEY_EXCHANGE);
    CHECK(ikev2_scsi_server_free(server) == 0 && ikev2_scsi_job_run(job) == 0);
    ikev2_scsi_reply reply;
    CHECK(ikev2_scsi_server_complete(server, job, NULL, 0, 0, &reply) == IKEV2_SCSI_RESULT_INVALID_HANDLE);
    CHECK(ikev2_scsi_job_free(job) == 0 && ikev2_scsi_job_free(job) == IKEV2_SCSI_RESULT_INVALID_HANDLE);
    CHECK(ikev2_scsi_server_free(second) == 0 && b.freed == 4 && other.freed == 4);
    printf("%s: jobs that fail, are lost, late or misdirected\n", path);
    free_transcript(&b.all);
    free(b.data_in);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--disturb") == 0) {
        disturb(argv[2]);
        return ikev2_scsi_open_handles() == 0 ? 0 : 1;
    }
    for (int i = 1; i < argc; i++) {
        replay(argv[i], 0);
        replay(argv[i], 1);
    }
    CHECK(argc > 1 && ikev2_scsi_open_handles() == 0);
    printf("replayed %d transcripts twice with version %s\n", argc - 1, ikev2_scsi_version());
    return 0;
}
