#!/usr/bin/env node
// The AWS SDK's notice about Node 20 would stand in every command's output.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
await import('../dist/client/main.js');
