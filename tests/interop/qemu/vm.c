/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Start and stop of a QEMU. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise.h"
#include "vm.h"

#define BIOS_SIZE	65536u
#define PAGE		4096u
#define MAX_ARGS	40

static const char *binary(void)
{
	const char *name = getenv("QEMU");

	return name && *name ? name : "qemu-system-x86_64";
}

const char *vm_why_not(void)
{
	static char why[256];
	char command[200];

	snprintf(command, sizeof(command), "%s --version >/dev/null 2>&1",
		 binary());
	if (!system(command))
		return NULL;
	snprintf(why, sizeof(why), "%s is not here (Debian and Ubuntu: "
		 "package qemu-system-x86; or set QEMU)", binary());
	return why;
}

/* A ROM that halts at the reset vector, and wherever else one may land. */
static void write_bios(const char *path)
{
	static const uint8_t code[] = {
		0xfa,			/* cli */
		0xf4,			/* hlt */
		0xeb, 0xfd		/* jmp to hlt */
	};
	uint8_t rom[BIOS_SIZE];
	FILE *f = fopen(path, "w");

	CHECK(f);
	memset(rom, 0xf4, sizeof(rom));
	memcpy(rom + 0xfff0, code, sizeof(code));
	CHECK(fwrite(rom, sizeof(rom), 1, f) == 1);
	CHECK(!fclose(f));
}

/* Arguments of a command line: words of a text, and more. */
struct args {
	const char *v[MAX_ARGS + 1];
	int n;
	char text[2048];
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static void arg(struct args *a, const char *format, ...)
{
	char *at = a->text + a->used;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(at, sizeof(a->text) - a->used, format, ap);
	va_end(ap);
	CHECK(n >= 0 && (size_t)n < sizeof(a->text) - a->used);
	CHECK(a->n < MAX_ARGS);
	a->v[a->n++] = at;
	a->used += (size_t)n + 1;
}

static void device_args(struct args *a, enum vm_bus bus)
{
	static const char options[] = "free-page-hint=on,iothread=iot,"
		"free-page-reporting=on,deflate-on-oom=on,packed=on";

	arg(a, "-machine");
	if (bus == VM_MMIO) {
		arg(a, "microvm,rtc=off,pit=off,pic=off,isa-serial=off,"
		    "auto-kernel-cmdline=off,memory-backend=ram");
		arg(a, "-global");
		arg(a, "virtio-mmio.force-legacy=false");
		arg(a, "-device");
		arg(a, "virtio-balloon-device,%s", options);
	} else {
		arg(a, "q35,smm=off,memory-backend=ram");
		arg(a, "-device");
		arg(a, "virtio-balloon-pci,addr=04.0,disable-%s=on,%s,%s",
		    bus == VM_PCI ? "legacy" : "modern",
		    bus == VM_PCI ? "disable-modern=off" :
				    "disable-legacy=off", options);
	}
}

static void make_args(struct args *a, const struct vm *vm, const char *bios,
		      const char *qtest, const char *qmp)
{
	memset(a, 0, sizeof(*a));
	arg(a, "%s", binary());
	arg(a, "-accel");
	arg(a, "tcg");
	arg(a, "-m");
	arg(a, "%" PRIu64 "M", vm->size >> 20);
	arg(a, "-object");
	arg(a, "memory-backend-file,id=ram,size=%" PRIu64 "M,"
	    "mem-path=/proc/self/fd/%d,share=on", vm->size >> 20, vm->ram_fd);
	arg(a, "-object");
	arg(a, "iothread,id=iot");
	arg(a, "-bios");
	arg(a, "%s", bios);
	arg(a, "-display");
	arg(a, "none");
	arg(a, "-nodefaults");
	arg(a, "-no-user-config");
	arg(a, "-qtest");
	arg(a, "unix:%s,server=on,wait=off", qtest);
	arg(a, "-qtest-log");
	arg(a, "none");
	arg(a, "-qmp");
	arg(a, "unix:%s,server=on,wait=off", qmp);
	device_args(a, vm->bus);
	if (vm->incoming[0]) {
		arg(a, "-incoming");
		arg(a, "%s", vm->incoming);
	}
}

/* Only in the new process. */
static _Noreturn void become_qemu(const struct args *a, int ram_fd,
				  const char *log)
{
	int fd = open("/dev/null", O_RDONLY);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	supervise_exec_setup();
	if (fd < 0 || out < 0 || dup2(fd, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0 || fcntl(ram_fd, F_SETFD, 0) < 0)
		_exit(126);
	execvp(a->v[0], (char *const *)(uintptr_t)a->v);
	_exit(127);
}

static void make_ram(struct vm *vm)
{
	vm->ram_fd = memfd_create("guest", MFD_CLOEXEC);
	CHECK(vm->ram_fd >= 0);
	CHECK(!ftruncate(vm->ram_fd, (off_t)vm->size));
	vm->ram = mmap(NULL, vm->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vm->ram_fd, 0);
	CHECK(vm->ram != MAP_FAILED);
}

void vm_start(struct vm *vm, enum vm_bus bus, uint64_t size, bool incoming)
{
	static unsigned int serial;
	char bios[128], qtest[128], qmp[128], log[128], name[64], at[112];
	struct args args;

	memset(vm, 0, sizeof(*vm));
	vm->bus = bus;
	vm->size = size;
	serial++;
	workdir_path(bios, sizeof(bios), "bios");
	snprintf(name, sizeof(name), "%u.qtest", serial);
	workdir_path(qtest, sizeof(qtest), name);
	snprintf(name, sizeof(name), "%u.qmp", serial);
	workdir_path(qmp, sizeof(qmp), name);
	snprintf(name, sizeof(name), "%u.log", serial);
	workdir_path(log, sizeof(log), name);
	if (incoming) {
		snprintf(name, sizeof(name), "%u.migrate", serial);
		workdir_path(at, sizeof(at), name);
		snprintf(vm->incoming, sizeof(vm->incoming), "unix:%s", at);
	}
	if (serial == 1)
		write_bios(bios);
	make_ram(vm);
	make_args(&args, vm, bios, qtest, qmp);
	vm->pid = fork();
	CHECK(vm->pid >= 0);
	if (vm->pid == 0)
		become_qemu(&args, vm->ram_fd, log);
	qtest_open(&vm->qtest, qtest);
	qmp_open(&vm->qmp, qmp);
}

void vm_stop(struct vm *vm)
{
	int status;

	CHECK(waitpid(vm->pid, &status, WNOHANG) == 0);
	qmp_do(&vm->qmp, "quit", NULL);
	CHECK(waitpid(vm->pid, &status, 0) == vm->pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	qmp_close(&vm->qmp);
	qtest_close(&vm->qtest);
	munmap(vm->ram, vm->size);
	close(vm->ram_fd);
}

uint64_t vm_get_allocated(const struct vm *vm)
{
	struct stat st;

	CHECK(!fstat(vm->ram_fd, &st));
	return (uint64_t)st.st_blocks * 512;
}

void vm_get_present(const struct vm *vm, bool *present, uint64_t npages)
{
	off_t data = 0, hole, i;

	memset(present, 0, npages * sizeof(*present));
	for (;;) {
		data = lseek(vm->ram_fd, data, SEEK_DATA);
		if (data < 0) {
			CHECK(errno == ENXIO);
			return;
		}
		hole = lseek(vm->ram_fd, data, SEEK_HOLE);
		CHECK(hole > data);
		for (i = data / PAGE; i < hole / PAGE; i++)
			if ((uint64_t)i < npages)
				present[i] = true;
		data = hole;
	}
}
