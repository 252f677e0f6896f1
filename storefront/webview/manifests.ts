/**
 * The two texts for an app's project: parts of AndroidManifest.xml and of Info.plist. Whole XML documents, so that
 * parsers can check them.
 */

import type { PaymentApp } from './apps.ts';

/** A package or a scheme, with its app. */
export interface Declared {
  readonly key: string;
  readonly app: PaymentApp;
}

const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
/** A test checks that no name contains `--`, which would end the comment. */
const comment = ({ ko, en }: PaymentApp): string => `<!-- ${ko === en ? ko : `${ko}, ${en}`} -->`;

/** @param scheme already validated */
export function androidManifest(scheme: string, packages: readonly Declared[]): string {
  const lines = packages.map(({ key, app }) => `        <package android:name="${escaped(key)}" /> ${comment(app)}`);
  return `<!-- AndroidManifest.xml: put <queries> and the intent-filter into your own. -->
<manifest xmlns:android="http://schemas.android.com/apk/res/android">
    <uses-permission android:name="android.permission.INTERNET" />
    <!-- From Android 11 on, an app sees only the packages listed here: every other one looks not installed. -->
    <queries>
${lines.join('\n')}
    </queries>
    <application>
        <!-- singleTask: a bank or card app returns to the pending payment, by onNewIntent. exported: required from Android 12 on. -->
        <activity android:name=".MainActivity" android:exported="true" android:launchMode="singleTask">
            <intent-filter>
                <action android:name="android.intent.action.VIEW" />
                <category android:name="android.intent.category.DEFAULT" />
                <category android:name="android.intent.category.BROWSABLE" />
                <data android:scheme="${escaped(scheme)}" />
            </intent-filter>
        </activity>
    </application>
</manifest>
`;
}

/** @param left the schemes over the limit */
export function infoPlist(scheme: string, schemes: readonly Declared[], left: readonly Declared[]): string {
  const lines = schemes.map(({ key, app }) => `        <string>${escaped(key)}</string> ${comment(app)}`);
  const without = left.length > 0 ? `\n         Left out: ${left.map(({ key }) => key).join(', ')}.` : '';
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Info.plist: put both keys into your own. -->
<plist version="1.0">
<dict>
    <key>CFBundleURLTypes</key>
    <array>
        <dict>
            <key>CFBundleTypeRole</key>
            <string>Editor</string>
            <key>CFBundleURLName</key>
            <string>$(PRODUCT_BUNDLE_IDENTIFIER)</string>
            <key>CFBundleURLSchemes</key>
            <array>
                <string>${escaped(scheme)}</string>
            </array>
        </dict>
    </array>
    <!-- For canOpenURL. Only 50 count, including your own; opening an app needs no entry.${without} -->
    <key>LSApplicationQueriesSchemes</key>
    <array>
${lines.join('\n')}
    </array>
</dict>
</plist>
<!-- Cookies: PGs and card issuers set cookies in each other's frames. Since iOS 14 WKWebView blocks third-party cookies;
     HTTPCookieStorage does not reach a WKWebView, WKHTTPCookieStore does. See docs/webview.md. -->
`;
}
