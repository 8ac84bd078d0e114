//! Judging where something is large: a launcher script, a workspace, a Makefile. Against the same with a tenth of it where
//! all of it has to be looked at, with a hundredth where most of it does not matter.

use std::fmt::Write;

use crate::compare::{Contest, Runner};
use crate::project::Project;

/// A script as long as the launchers of Maven and sbt, against a command without one.
pub(crate) fn launcher_script() -> Contest {
    let project = Project::new("check-launcher-script");
    let mut text = "#!/bin/sh\nset -eu\n".to_owned();
    for at in 0..60 {
        let _ = write!(
            text,
            "step{at}() {{\n  if [ -n \"${{HOME_{at}-}}\" ]; then\n    DIR_{at}=\"$(cd \"$(dirname \"$0\")\" && pwd -P)\"\n  \
             else\n    DIR_{at}=\"${{HOME_{at}:-/opt}}/lib\"\n  fi\n  case \"$(uname)\" in\n  CYGWIN* | MINGW*) \
             DIR_{at}=`cygpath -u \"$DIR_{at}\"` ;;\n  esac\n}}\nstep{at} || die \"cannot find {at}\"\n"
        );
    }
    text.push_str("exec java -classpath \"$DIR_1/wrapper.jar\" org.example.Main \"$@\"\n");
    project.write("launcher.sh", &text);
    project.write("pom.xml", "<project><artifactId>shop</artifactId></project>\n");
    project.write(".env", "DATABASE_URL=postgres://shop:shop@localhost:5432/shop_test\n");
    against(&project, &["check", "--", "java", "-version"], &project, &["check", "--", "./launcher.sh", "test"])
}

/// A test of every package of a workspace with 1,000, against one with 100.
pub(crate) fn workspace() -> Contest {
    let of = |count: usize| {
        let project = Project::new(&format!("check-workspace-{count}"));
        project.write("package.json", r#"{"workspaces": ["packages/*"]}"#);
        for at in 0..count {
            let manifest = format!(r#"{{"name": "@shop/p{at}", "scripts": {{"test": "jest"}}}}"#);
            project.write(&format!("packages/p{at}/package.json"), &manifest);
            let url = "DATABASE_URL=postgres://shop:shop@localhost:5432/shop_test\n";
            project.write(&format!("packages/p{at}/.env"), url);
        }
        project
    };
    let arguments = &["check", "--", "npm", "test", "--workspaces"];
    against(&of(100), arguments, &of(1000), arguments)
}

/// One target of a Makefile with 2,000, against one with 20.
pub(crate) fn make_target() -> Contest {
    let arguments = &["check", "--", "make", "test"];
    against(&with_targets(20), arguments, &with_targets(2000), arguments)
}

/// A target of a Makefile that needs 2,000 others, against one that needs 200.
pub(crate) fn make_all() -> Contest {
    let arguments = &["check", "--", "make", "all"];
    against(&with_targets(200), arguments, &with_targets(2000), arguments)
}

/// One recipe of a justfile with 2,000, against one with 20.
pub(crate) fn just_recipe() -> Contest {
    let arguments = &["check", "--", "just", "test"];
    against(&with_targets(20), arguments, &with_targets(2000), arguments)
}

/// A Makefile and a justfile with `count` targets that `all` needs, and a test that needs one more.
fn with_targets(count: usize) -> Project {
    let project = Project::new(&format!("check-targets-{count}"));
    let all: String = (0..count).map(|at| format!(" t{at}")).collect();
    for (file, indent) in [("Makefile", "\t"), ("justfile", "  ")] {
        let targets: String = (0..count).map(|at| format!("t{at}:\n{indent}echo {at}\n")).collect();
        let text = format!("test: build\n{indent}pytest\nbuild:\n{indent}true\nall:{all}\n{indent}true\n{targets}");
        project.write(file, &text);
    }
    project.write(".env", "DATABASE_URL=postgres://shop:shop@localhost:5432/shop_test\n");
    project
}

fn against(small: &Project, few: &'static [&'static str], large: &Project, many: &'static [&'static str]) -> Contest {
    let (small, large) = (small.clone(), large.clone());
    Contest::new(Runner::new(move || small.safe_test(few)), Runner::new(move || large.safe_test(many)))
}
