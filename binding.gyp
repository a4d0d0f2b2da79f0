{
  "variables": {
    "warnings": ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"],
    "hardening": ["-fstack-protector-strong", "-fvisibility=hidden"],
    # A published package has no tests.
    "has_tests%": "<!(node -p \"+require('fs').existsSync('test/native')\")",
  },
  "target_defaults": {
    "cflags!": ["-Wall", "-Wextra", "-Wno-unused-parameter", "-fno-strict-aliasing"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-std=gnu++2a"],
    "cflags_cc": ["-std=c++17", "-O2", "-fno-exceptions"],
    "conditions": [
      # The C library's checked functions; for indirect jumps and returns what the processor checks (CET), which x86 has.
      # test/package/hardening.test.ts reads all of it out of the built files.
      ["OS=='linux'", {"defines": ["_GNU_SOURCE"], "cflags": ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]}],
      ["OS=='linux' and target_arch in ['x64', 'ia32']", {"cflags": ["-fcf-protection=full"]}],
    ],
  },
  "targets": [
    {
      "target_name": "jail",
      "sources": [
        "<!@(node -p \"require('fs').readdirSync('native/addon').filter((f) => f.endsWith('.cc') && !/^(linux|dragonfly)_/.test(f)).map((f) => 'native/addon/' + f).join(' ')\")",
        "native/common/registry.cc",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags": ["<@(warnings)", "<@(hardening)"],
      "ldflags": ["-Wl,-z,relro,-z,now,-z,noexecstack"],
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "<!@(node -p \"require('fs').readdirSync('native/addon').filter((f) => f.startsWith('linux_')).map((f) => 'native/addon/' + f).join(' ')\")",
            "native/linux/cgroup_remove.cc",
            "native/linux/processes.cc",
            "native/linux/hostname.cc",
            "native/linux/index.cc",
          ],
        }],
        # DragonFly: gyp takes it for FreeBSD, which the sources refuse.
        ["OS=='freebsd'", {
          "sources": [
            "<!@(node -p \"require('fs').readdirSync('native/addon').filter((f) => f.startsWith('dragonfly_') && f.endsWith('.cc')).map((f) => 'native/addon/' + f).join(' ')\")",
            "native/dragonfly/abi.cc",
            "native/dragonfly/alias_remove.cc",
            "native/dragonfly/jail_enter.cc",
            "native/dragonfly/mount_list.cc",
            "native/dragonfly/processes.cc",
            "native/dragonfly/unmount.cc",
            "<!@(node -p \"require('fs').readdirSync('native/dragonfly').filter((f) => f.startsWith('sysctl_')).map((f) => 'native/dragonfly/' + f).join(' ')\")",
          ],
        }],
      ],
    },
  ],
  "conditions": [
    ["OS=='linux'", {
      "targets": [
        {
          "target_name": "jail-anchor",
          "type": "executable",
          "sources": ["native/anchor/anchor.cc"],
          "cflags": ["<@(warnings)", "-fno-rtti", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-fno-pie", "-fno-asynchronous-unwind-tables", "-fcf-protection=none"],
          "cflags!": ["-fPIC"],
          "ldflags": ["-nostdlib", "-static", "-no-pie", "-s", "-Wl,-n,--build-id=none,-z,noexecstack"],
          "ldflags!": ["-rdynamic", "-pthread"],
        },
        {
          "target_name": "jail-monitor",
          "type": "executable",
          "dependencies": ["jail-anchor"],
          "actions": [{
            "action_name": "embed_anchor",
            "inputs": ["native/linux/embed.mjs", "<(PRODUCT_DIR)/jail-anchor"],
            "outputs": ["<(SHARED_INTERMEDIATE_DIR)/anchor_image.inc"],
            "action": ["node", "native/linux/embed.mjs", "<(PRODUCT_DIR)/jail-anchor", "<(SHARED_INTERMEDIATE_DIR)/anchor_image.inc"],
          }],
          "include_dirs": ["<(SHARED_INTERMEDIATE_DIR)"],
          "sources": [
            "<!@(node -p \"require('fs').readdirSync('native/monitor').filter((f) => f.endsWith('.cc')).map((f) => 'native/monitor/' + f).join(' ')\")",
            "native/common/registry.cc",
            "native/linux/anchor.cc",
            "native/linux/birthplace.cc",
            "native/linux/cgroup.cc",
            "native/linux/cgroup_remove.cc",
            "native/linux/enter.cc",
            "native/linux/entrance.cc",
            "native/linux/file_system.cc",
            "native/linux/filter.cc",
            "native/linux/hidden_directory.cc",
            "native/linux/holder.cc",
            "native/linux/index.cc",
            "native/linux/jail.cc",
            "native/linux/loop.cc",
            "native/linux/mounts.cc",
            "native/linux/netlink.cc",
            "native/linux/netlink_message.cc",
            "native/linux/peer.cc",
            "native/linux/report.cc",
            "native/linux/signals.cc",
            "native/linux/processes.cc",
          ],
          "cflags": ["<@(warnings)", "<@(hardening)", "-fno-rtti", "-fno-threadsafe-statics", "-fPIE"],
          "ldflags": ["-nodefaultlibs", "<!(node native/linux/link-flags.mjs kind)", "-s", "-Wl,-z,relro,-z,now,-z,noexecstack"],
          "ldflags!": ["-rdynamic", "-pthread"],
          "libraries": ["<!@(node native/linux/link-flags.mjs libraries)"],
        },
      ],
    }],
    ["OS=='freebsd'", {
      "variables": {
        # The system's C library alone; every function in a section of its own, and those that a program does not need left out.
        "plain_cflags": ["<@(warnings)", "<@(hardening)", "-fno-rtti", "-fno-threadsafe-statics", "-ffunction-sections", "-fdata-sections"],
        "plain_ldflags": ["-static", "-nodefaultlibs", "-s", "-Wl,--gc-sections,-z,noexecstack"],
        "dragonfly_sources": ["<!@(node -p \"require('fs').readdirSync('native/dragonfly').filter((f) => f.endsWith('.cc')).map((f) => 'native/dragonfly/' + f).join(' ')\")"],
        "monitor_sources": ["<!@(node -p \"require('fs').readdirSync('native/monitor').filter((f) => f.endsWith('.cc')).map((f) => 'native/monitor/' + f).join(' ')\")"],
      },
      "targets": [
        {
          "target_name": "jail-monitor",
          "type": "executable",
          "sources": ["<@(monitor_sources)", "<@(dragonfly_sources)", "native/common/registry.cc"],
          "cflags": ["<@(plain_cflags)"],
          "ldflags": ["<@(plain_ldflags)"],
          "ldflags!": ["-rdynamic", "-pthread", "-Wl,--export-dynamic"],
          "libraries": ["-lc", "-lgcc"],
        },
        {
          "target_name": "jail-recover",
          "type": "executable",
          "sources": [
            "native/recover/main.cc",
            "native/common/registry.cc",
            "native/dragonfly/alias_find.cc",
            "native/dragonfly/alias_remove.cc",
            "native/dragonfly/anchor.cc",
            "native/dragonfly/boot.cc",
            "native/dragonfly/child.cc",
            "native/dragonfly/devfs_rules.cc",
            "native/dragonfly/jail_create.cc",
            "native/dragonfly/jail_enter.cc",
            "native/dragonfly/killing.cc",
            "native/dragonfly/ledger.cc",
            "native/dragonfly/mount_list.cc",
            "native/dragonfly/processes.cc",
            "native/dragonfly/recover.cc",
            "native/dragonfly/sysctl_find.cc",
            "native/dragonfly/sysctl_get.cc",
            "native/dragonfly/sysctl_set.cc",
            "native/dragonfly/unmount.cc",
          ],
          "cflags": ["<@(plain_cflags)"],
          "ldflags": ["<@(plain_ldflags)"],
          "ldflags!": ["-rdynamic", "-pthread", "-Wl,--export-dynamic"],
          "libraries": ["-lc", "-lgcc"],
        },
        {
          "target_name": "jail-selftest",
          "type": "executable",
          "sources": [
            "<!@(node -p \"require('fs').readdirSync('native/selftest').filter((f) => f.endsWith('.cc') && f !== 'other.cc').map((f) => 'native/selftest/' + f).join(' ')\")",
            "<!@(node -p \"require('fs').readdirSync('native/selftest/dragonfly').filter((f) => f.endsWith('.cc')).map((f) => 'native/selftest/dragonfly/' + f).join(' ')\")",
            "<@(dragonfly_sources)",
            "native/monitor/describe.cc",
            "native/monitor/identity.cc",
            "native/monitor/protocol.cc",
            "native/common/registry.cc",
          ],
          "cflags": ["<@(plain_cflags)"],
          "ldflags": ["<@(plain_ldflags)"],
          "ldflags!": ["-rdynamic", "-pthread", "-Wl,--export-dynamic"],
          "libraries": ["-lc", "-lgcc"],
        },
      ],
    }],
    ["OS=='linux' and has_tests==1", {
      "targets": [
        {
          # The part that does not depend on the system.
          "target_name": "jail-selftest",
          "type": "executable",
          "sources": [
            "<!@(node -p \"require('fs').readdirSync('native/selftest').filter((f) => f.endsWith('.cc')).map((f) => 'native/selftest/' + f).join(' ')\")",
            "native/monitor/identity.cc",
            "native/monitor/protocol.cc",
          ],
          "cflags": ["<@(warnings)", "<@(hardening)", "-fno-rtti", "-fno-threadsafe-statics"],
        },
        {
          "target_name": "netlink-test",
          "type": "executable",
          "sources": ["test/native/netlink-test.cc", "native/linux/file_system.cc", "native/linux/netlink.cc", "native/linux/netlink_message.cc"],
          "cflags": ["<@(warnings)", "<@(hardening)", "-fno-rtti"],
        },
        {
          "target_name": "processes-test",
          "type": "executable",
          "sources": ["test/native/processes-test.cc", "native/linux/processes.cc", "native/common/registry.cc"],
          "cflags": ["<@(warnings)", "<@(hardening)", "-fno-rtti"],
        },
      ],
    }],
  ],
}
