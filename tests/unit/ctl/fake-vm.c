/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* A VM that says what the test wants it to say. */

#include "tests/unit/ctl/fake-vm.h"

#include <check.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GREETING "{\"QMP\":{\"version\":{},\"capabilities\":[]}}"

struct FakeVm {
	char *folder;
	char *path;
	char *greeting;
	const FakeAnswer *answers;
	guint n_answers;
	guint *given; /* how often each was */
	int listener;
	GThread *thread;
	GString *requests;
};

static void say(int fd, const char *text)
{
	g_autofree char *line = g_strconcat(text, "\r\n", NULL);

	/* a client that has gone does not hear it */
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		return;
}

static const FakeAnswer *find_answer(FakeVm *vm, const char *command)
{
	const FakeAnswer *last = NULL;

	for (guint i = 0; i < vm->n_answers; i++) {
		if (strcmp(vm->answers[i].command, command) != 0)
			continue;
		last = &vm->answers[i];
		if (vm->given[i]++ == 0)
			break;
	}
	return last;
}

static void reply(int fd, const char *text, gint64 id)
{
	/* the id goes in before the last brace */
	g_autofree char *line = g_strdup_printf("%.*s,\"id\":%" G_GINT64_FORMAT "}",
						(int)strlen(text) - 1, text, id);

	say(fd, line);
}

static void note_request(FakeVm *vm, JsonNode *root)
{
	g_autoptr(JsonNode) copy = json_node_copy(root);
	g_autofree char *text = NULL;

	json_object_remove_member(json_node_get_object(copy), "id");
	text = json_to_string(copy, FALSE);
	g_string_append_printf(vm->requests, "%s\n", text);
}

/* FALSE: the VM ends. */
static gboolean serve_request(FakeVm *vm, int fd, const char *line)
{
	g_autoptr(JsonNode) root = json_from_string(line, NULL);
	JsonObject *request = json_node_get_object(root);
	const char *command = json_object_get_string_member(request, "execute");
	gint64 id = json_object_get_int_member(request, "id");
	const FakeAnswer *answer = find_answer(vm, command);

	if (strcmp(command, "qmp_capabilities") != 0) {
		note_request(vm, root);
	} else if (!answer) {
		reply(fd, "{\"return\":{}}", id);
		return TRUE;
	}
	reply(fd,
	      answer ? answer->reply
		     : "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"no such command\"}}",
	      id);
	if (answer && answer->lines)
		say(fd, answer->lines);
	return !(answer && answer->hangs_up);
}

static void serve_client(FakeVm *vm, int fd)
{
	FILE *stream = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;

	say(fd, vm->greeting);
	while (getline(&line, &size, stream) > 0 && serve_request(vm, fd, line))
		;
	free(line);
	fclose(stream);
}

static gpointer serve(gpointer data)
{
	FakeVm *vm = data;
	int fd;

	while ((fd = accept(vm->listener, NULL, NULL)) >= 0)
		serve_client(vm, fd);
	return NULL;
}

FakeVm *fake_vm_start(const char *greeting, const FakeAnswer *answers, guint n_answers)
{
	FakeVm *vm = g_new0(FakeVm, 1);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	vm->folder = g_dir_make_tmp("hotbay-vm-XXXXXX", NULL);
	vm->path = g_build_filename(vm->folder, "qmp", NULL);
	vm->greeting = g_strdup(greeting ? greeting : GREETING);
	vm->answers = answers;
	vm->n_answers = n_answers;
	vm->given = g_new0(guint, n_answers + 1);
	vm->requests = g_string_new(NULL);
	vm->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_strlcpy(address.sun_path, vm->path, sizeof(address.sun_path));
	ck_assert_int_eq(bind(vm->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(vm->listener, 4), 0);
	vm->thread = g_thread_new("fake-vm", serve, vm);
	return vm;
}

const char *fake_vm_get_path(const FakeVm *vm)
{
	return vm->path;
}

char *fake_vm_stop(FakeVm *vm)
{
	char *requests;

	shutdown(vm->listener, SHUT_RDWR);
	g_thread_join(vm->thread);
	close(vm->listener);
	g_unlink(vm->path);
	g_rmdir(vm->folder);
	requests = g_string_free(vm->requests, FALSE);
	g_free(vm->given);
	g_free(vm->greeting);
	g_free(vm->path);
	g_free(vm->folder);
	g_free(vm);
	return requests;
}
